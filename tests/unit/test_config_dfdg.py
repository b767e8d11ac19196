"""The table [dfdg] of syncd.toml, and the mapping file beside it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from syncd.config import SecretRef
from syncd.config.credentials import secret_file
from syncd.config.dfdg import DfdgSection
from syncd.config.dfdg_names import DfdgNames
from syncd.daemon.reporting import names_of
from syncd.errors import ConfigError
from tests.environment import ROOT


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"url": "https://dfdg.example.dk"}, "organisation_code"),
        ({"url": "https://dfdg.example.dk", "organisation_code": "10101"}, "certificate"),
        ({"url": "ftp://x", "organisation_code": "1"}, "https://"),
        ({"url": "https://x", "organisation_code": "1", "certificate": {"env": "PEM"}}, "file or a credential"),
        ({"poll_seconds": 0}, "greater than or equal to 1"),
        ({"messages": "sometimes"}, "off"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_reason(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        DfdgSection.model_validate(given)


def test_it_is_off_until_an_address_is_given() -> None:
    assert not DfdgSection().on
    assert DfdgSection(url="http://127.0.0.1:1", organisation_code="1").on


def test_the_shipped_mapping_is_what_holds_without_one() -> None:
    shipped = ROOT / "config" / "dfdg-mapping.toml"

    assert DfdgNames() == DfdgNames.model_validate(tomllib.loads(shipped.read_text(encoding="utf-8")))
    assert DfdgNames() == names_of(DfdgSection(mapping=shipped))


def test_an_unknown_name_in_the_mapping_is_told(tmp_path: Path) -> None:
    wrong = tmp_path / "mapping.toml"
    wrong.write_text('[paths]\nupdat = "/x"\n', encoding="utf-8")

    with pytest.raises(ConfigError, match="did you mean 'update'"):
        names_of(DfdgSection(mapping=wrong))


def test_a_certificate_is_found_among_the_credentials_of_the_service(tmp_path: Path) -> None:
    (tmp_path / "dfdg").write_text("PEM", encoding="utf-8")
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path)}

    assert tmp_path / "dfdg" == secret_file(SecretRef(credential="dfdg"), env)
    (tmp_path / "plain_other").touch()  # of a folder that the unit loads as a whole
    assert tmp_path / "plain_other" == secret_file(SecretRef(credential="other"), env)
    with pytest.raises(ConfigError, match="credential 'missing'"):
        secret_file(SecretRef(credential="missing"), env)
