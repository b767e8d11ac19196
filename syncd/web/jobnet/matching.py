"""Which offers are for a citizen, and what the contract calls them; pure."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta

from syncd.errors import BadRequest
from syncd.model.directory import Directory, Site
from syncd.model.eligibility import Own, Traits, Whom
from syncd.model.jobnet import Told
from syncd.model.offer import Form, Offer, Rulebook
from syncd.publish.asking import admit
from syncd.web.jobnet.mapping import CodesSection


def offer_id(installation: str, offer: str) -> str:
    """The MoedetilbudId of an offer: the same as long as installation and name are."""
    return str(uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:syncd:{installation}"), offer))


class Ids:
    """The offers in force by MoedetilbudId, made once per revision of the rules. Thread-safe."""

    def __init__(self) -> None:
        self._kept: tuple[Rulebook, Mapping[str, Offer], Mapping[str, str]] | None = None

    def offers(self, book: Rulebook, installation: Callable[[], str]) -> Mapping[str, Offer]:
        """Offers by MoedetilbudId."""
        return self._of(book, installation)[1]

    def ids(self, book: Rulebook, installation: Callable[[], str]) -> Mapping[str, str]:
        """MoedetilbudIds by the offer's name."""
        return self._of(book, installation)[2]

    def _of(
        self, book: Rulebook, installation: Callable[[], str]
    ) -> tuple[Rulebook, Mapping[str, Offer], Mapping[str, str]]:
        kept = self._kept
        if kept is None or kept[0] is not book:
            ids = {name: offer_id(installation(), name) for name in book.offers}
            kept = self._kept = (book, {ids[name]: offer for name, offer in book.offers.items()}, ids)
        return kept


def talk_code(codes: CodesSection, offer: Offer) -> int | None:
    """The SamtaleType of an offer; None when it has none, and so is not for Jobnet."""
    if offer.talk_type.isascii() and offer.talk_type.isdecimal():
        return int(offer.talk_type[:8])
    known = {name.casefold(): code for name, code in codes.talk_types.items()}
    return known.get(offer.talk_type.casefold(), known.get(offer.name.casefold()))


def group_code(codes: CodesSection, offer: Offer) -> int:
    """The MoedeGruppeType: joint when somebody else takes part."""
    return codes.joint if offer.partners or offer.seats > 1 else codes.individual


def served(book: Rulebook, codes: CodesSection, jobcentres: Mapping[str, Collection[str]], jobcentre: str) -> set[str]:
    """Names of the offers a jobcentre's citizens may be shown at all."""
    if jobcentre not in jobcentres:
        return set()
    named = jobcentres[jobcentre]
    return {
        one.name
        for one in book.offers.values()
        if (not named or one.name in named) and talk_code(codes, one) is not None and one.caseworkers
    }


def lets_in(offer: Offer, told: Told) -> bool:
    """Whether the offer's rules on kontaktgruppe, klientkategori and persongruppe let the citizen book it."""
    return admit(offer, Whom(traits_of(told)), None).entitled


def lets_in_anybody(offer: Offer) -> bool:
    """Whether anybody of whom the contract tells could book the offer: whose caseworker is hers it never tells."""
    return offer.own is not Own.ONLY


def traits_of(told: Told) -> Traits:
    """What the rules see of a citizen; whose caseworker she is the contract does not tell."""
    return Traits(told.contact_group, told.category, told.groups)


def alike(book: Rulebook, codes: CodesSection, offer: str) -> Collection[str]:
    """The offers of which a citizen may have one booking to come, together with *offer*; none when there is no limit.

    Types 4 and 7 are DFDG's own rule (reference, IND24); `one_future` is the offer's.
    """
    found = book.offers.get(offer)
    if found is None:
        return ()
    code = talk_code(codes, found)
    if code in codes.one_future:
        return {one.name for one in book.offers.values() if talk_code(codes, one) == code}
    return book.of_kind(found) if found.one_future else ()


def matched(
    book: Rulebook,
    codes: CodesSection,
    jobcentres: Mapping[str, Collection[str]],
    told: Told,
    coming: Collection[int],
) -> list[Offer]:
    """The offers for a citizen, in the order of the rules.

    :param coming: types of the talks she has to come already.
    """
    names = served(book, codes, jobcentres, told.jobcentre)
    return [
        one
        for one in book.offers.values()
        if one.name in names
        and lets_in(one, told)
        and not (talk_code(codes, one) in coming and alike(book, codes, one.name))
    ]


def place_of(offer: Offer, directory: Directory) -> str | None:
    """Where meetings in person are held, when that is one place."""
    if Form.IN_PERSON not in offer.minutes:
        return None
    people = (directory.caseworkers[one] for one in offer.caseworkers if one in directory.caseworkers)
    sites = {one.site for one in people}
    return described(directory.sites[sites.pop()]) if len(sites) == 1 else None


def described(site: Site) -> str:
    """A site in words, with where to report."""
    return f"{site.name}. {site.reception}" if site.reception else site.name


def movable(offer: Offer, start: datetime, now: datetime, moves: int = 0) -> tuple[bool, datetime]:
    """Whether a citizen may move a meeting later, and until when."""
    notice = offer.cancel_notice if offer.move_notice is None else offer.move_notice
    until = start - timedelta(minutes=notice)
    return (offer.moves is None or moves < offer.moves) and now < until, until


def cancellable(offer: Offer, start: datetime, now: datetime) -> tuple[bool, datetime]:
    """Whether a citizen may cancel a meeting later, and until when."""
    until = start - timedelta(minutes=offer.cancel_notice)
    return offer.cancellable and now < until, until


def name_parts(name: str) -> tuple[str, str | None, str]:
    """Given name, middle names and surname, as long as the contract lets them be."""
    parts = name.split() or ["-"]
    middle = " ".join(parts[1:-1])[:40].strip() or None
    return parts[0][:50], middle, (parts[-1] if len(parts) > 1 else "-")[:40]


def known_form(codes: CodesSection, offer: Offer, code: int | None, present: Form | None = None) -> Form:
    """The form a code means.

    :param present: what it is when none is given; else the offer's first.
    :raises BadRequest: the code is not known, or the offer is not held so.
    """
    form = codes.form_of(code) if code is not None else present or offer.forms[0]
    if form is None or form not in offer.minutes:
        held = ", ".join(str(codes.form(one)) for one in offer.forms)
        raise BadRequest(f"The offer is not held in this talk form; its forms are: {held}. Nothing was changed.")
    return form


def codes_of(codes: CodesSection, forms: Iterable[Form]) -> list[int]:
    """The codes of forms, in order."""
    return sorted({codes.form(one) for one in forms})
