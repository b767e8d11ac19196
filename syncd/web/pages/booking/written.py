"""What somebody wrote about herself: how she can be reached, checked, with a sentence for each mistake."""

from __future__ import annotations

import re
from collections.abc import Mapping

from syncd.config.mail import mail_address
from syncd.cpr import PATTERN
from syncd.model.contact import Contact
from syncd.model.offer import Form, Offer
from syncd.web.pages.language import N_

FIELDS = ("name", "phone", "mail", "topic")
LONGEST = 100
NO_NAME = N_("Please write your name.")
NO_WAY = N_("Please write a telephone number or a mail address, so that we can reach you.")
NO_PHONE = N_("Please write the telephone number that we shall call.")
BAD_PHONE = N_("That is no telephone number. Write eight digits, or + and the country's number first.")
BAD_MAIL = N_("That is no mail address. It is written like name@example.dk.")
IS_CPR = N_("Please do not write your civil registration number here; we do not need it.")
TOO_LONG = N_("That is too long; please shorten it to 100 letters.")
BAD_TOPIC = N_("That topic is not on the list. Please choose one of them, or none.")


def contact_of(typed: Mapping[str, str], offer: Offer, form: Form) -> tuple[Contact, dict[str, str]]:
    """The contact data, and what is wrong by field (English); nothing wrong when that is empty."""
    name, mail = " ".join(typed.get("name", "").split()), typed.get("mail", "").strip()
    phone = number_of(typed.get("phone", ""))
    wrong: dict[str, str] = {}
    if not name:
        wrong["name"] = NO_NAME
    if phone is None:
        wrong["phone"] = BAD_PHONE
    elif not phone and form is Form.PHONE and offer.number == "asked":
        wrong["phone"] = NO_PHONE
    elif not phone and not mail:
        wrong["phone"] = NO_WAY
    if mail and not _is_mail(mail):
        wrong["mail"] = BAD_MAIL
    if typed.get("topic", "") not in ("", *offer.topics):
        wrong["topic"] = BAD_TOPIC
    for field in ("name", "phone", "mail"):
        if len(typed.get(field, "")) > LONGEST:
            wrong[field] = TOO_LONG
        elif _has_cpr(typed.get(field, "")):
            wrong[field] = IS_CPR
    return Contact(name or None, None, phone or None, mail.lower() or None), wrong


def number_of(text: str) -> str | None:
    """A telephone number in one form (``+4512345678``), to know it again; empty for none, None for nonsense."""
    plain = re.sub(r"[\s().\-/]", "", text)
    if not plain:
        return ""
    plain = (
        f"+{plain[2:]}" if plain.startswith("00") else f"+45{plain}" if re.fullmatch(r"[1-9]\d{7}", plain) else plain
    )
    return plain if re.fullmatch(r"\+[1-9]\d{7,14}", plain, re.ASCII) else None


def _is_mail(text: str) -> bool:
    try:
        return mail_address(text).isascii() and text.isprintable()
    except ValueError:
        return False


def _has_cpr(text: str) -> bool:
    found = re.findall(r"(?<![\d+])(\d{6})[\s-]?(\d{4})(?!\d)", text)
    return any(re.fullmatch(PATTERN, day + more) for day, more in found)
