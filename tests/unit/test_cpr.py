"""Civil registration numbers at the edge: which are some, and that nothing shows them."""

from __future__ import annotations

from datetime import date

import pytest

from syncd.cpr import Cpr, CprKey, NotACpr

KEY = bytes(range(32))


@pytest.mark.parametrize("digits", ["0101900009", "3112991234", "2902001234", "0000000000", "0101655678", "3006055555"])
def test_a_number_needs_no_modulus_11(digits: str) -> None:
    # EBS3, reference section 7: the pattern has no modulus check, and ten zeros mean required but unknown.
    assert digits == Cpr(digits).digits


@pytest.mark.parametrize(
    "digits", ["", "3201900009", "3104900009", "3002900009", "0113900009", "010190000", "01019000090", "010190-0009"]
)
def test_days_and_months_that_do_not_exist_are_no_number(digits: str) -> None:
    with pytest.raises(NotACpr) as refused:
        Cpr(digits)

    assert not digits or digits not in str(refused.value)


def test_full_width_digits_are_no_digits() -> None:
    with pytest.raises(NotACpr):
        Cpr("０１０１９０００09")


@pytest.mark.parametrize(
    ("digits", "born"),
    [
        ("0101900009", date(1990, 1, 1)),
        ("0101004000", date(2000, 1, 1)),
        ("0101374000", date(1937, 1, 1)),
        ("0101575000", date(2057, 1, 1)),
        ("0101585000", date(1858, 1, 1)),
        ("0101369000", date(2036, 1, 1)),
        ("2902041000", date(1904, 2, 29)),
        ("2902011000", None),
        ("0000000000", None),
    ],
)
def test_the_seventh_digit_tells_the_century(digits: str, born: date | None) -> None:
    assert born == Cpr(digits).born


def test_neither_text_nor_representation_shows_a_number() -> None:
    number = Cpr("0101900009")

    assert "0101900009" not in f"{number} {number!r} {[number]}"


def test_a_reference_is_the_same_with_the_same_key_only() -> None:
    number = Cpr("0101900009")

    assert CprKey(KEY).reference(number) == CprKey(KEY).reference(number)
    assert CprKey(KEY).reference(number) != CprKey(bytes(32)).reference(number)
    assert "0101900009" not in CprKey(KEY).reference(number)


def test_a_sealed_number_opens_for_its_own_reference_and_key_only() -> None:
    key, number = CprKey(KEY), Cpr("0101900009")
    sealed = key.seal(number)

    assert number == key.open(sealed, key.reference(number))
    assert key.open(sealed, "cpr-somebody-else") is None
    assert CprKey(bytes(32)).open(sealed, key.reference(number)) is None
    assert b"0101900009" not in sealed
