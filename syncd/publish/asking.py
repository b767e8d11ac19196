"""What a question about times means under the rules in force: which offer, forms, people and days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from syncd.errors import BadRequest, UnknownCaseworker, UnknownOffer
from syncd.model.directory import Directory, MailboxId
from syncd.model.eligibility import STAFF, Own, Whom, entitled
from syncd.model.interval import Interval
from syncd.model.offer import Form, Offer, Rulebook, Slot
from syncd.model.policy import Mode
from syncd.model.verdict import Reason
from syncd.model.zones import midnight
from syncd.slots.bounds import earliest, horizon_end
from syncd.store.instants import epoch, moment


class Question(NamedTuple):
    """What was asked, as far as answers differ by it."""

    offer: str
    window: Interval
    caseworker: MailboxId | None
    form: Form | None
    shadow: bool
    whom: Whom = STAFF


class Admission(NamedTuple):
    """What an offer's rules on citizens come to for one of them.

    :param only: the one caseworker whose times are meant; None for all.
    :param first: whose times come first, as long as there are any.
    """

    entitled: bool
    only: MailboxId | None = None
    first: MailboxId | None = None


def admit(offer: Offer, whom: Whom, named: MailboxId | None) -> Admission:
    """Whether a citizen may book the offer, and with whom.

    :param named: the caseworker asked for.
    :raises BadRequest: the offer is not for everybody, and nothing was said of the citizen.
    """
    if whom.staff or (not offer.open_to and offer.own is Own.ANY):
        return Admission(True, named)
    if whom.traits is None:
        if not offer.open_to and offer.own is Own.FIRST:
            return Admission(True, named)
        raise BadRequest(
            f"The offer '{offer.name}' is not for everybody: say what is known of the citizen (citizen.contact_group, "
            "category, groups, caseworker). For times, POST to slots/search. Nothing was changed."
        )
    own = whom.traits.caseworker if whom.traits.caseworker in offer.caseworkers else None
    if not entitled(offer.open_to, whom.traits):
        return Admission(False)
    if offer.own is Own.ONLY:
        return Admission(own is not None and named in (None, own), own)
    return Admission(True, named, own if offer.own is Own.FIRST and named is None else None)


def left_out(
    offer: Offer, directory: Directory, whom: Whom, caseworker: MailboxId, interval: Interval
) -> tuple[Reason, dict[str, str]] | None:
    """Why a citizen cannot have this time, whatever the calendars say; None when she can.

    :raises BadRequest: the offer is not for everybody, and nothing was said of the citizen.
    """
    if not admit(offer, whom, caseworker).entitled:
        may = whom.traits is not None and entitled(offer.open_to, whom.traits)
        return (Reason.NOT_OWN if may else Reason.NOT_ENTITLED), {}
    limit = last_instant(directory, [caseworker], whom.latest) if whom.latest else None
    if limit is not None and interval.end > limit:
        return Reason.AFTER_LATEST, {"latest": str(whom.latest)}
    return None


def last_instant(directory: Directory, people: Iterable[MailboxId], latest: date) -> datetime | None:
    """Where the day *latest* ends at the sites of *people*; None without people."""
    zones = {directory.sites[directory.caseworkers[one].site].zone for one in people if one in directory.caseworkers}
    return min((midnight(latest + timedelta(days=1), zone) for zone in zones), default=None)


def offer(rulebook: Rulebook, name: str) -> Offer:
    """The offer of that name.

    :raises UnknownOffer: there is none.
    """
    found = rulebook.offers.get(name)
    if found is None:
        raise UnknownOffer(f"There is no offer '{name}'. Offers are: {', '.join(sorted(rulebook.offers)) or 'none'}.")
    return found


def forms(offer: Offer, form: Form | None) -> Sequence[Form]:
    """The forms in question.

    :raises BadRequest: the offer is not held in this one.
    """
    if form is None:
        return offer.forms
    if form not in offer.minutes:
        raise BadRequest(f"The offer '{offer.name}' is not held as {form}; its forms are: {', '.join(offer.forms)}.")
    return (form,)


def people(rulebook: Rulebook, directory: Directory, offer: Offer, question: Question) -> list[MailboxId]:
    """Those who serve the offer and whose teams are live.

    :raises UnknownCaseworker: the one asked for does not serve it.
    """
    serving = [one for one in offer.caseworkers if one in directory.caseworkers]
    if question.caseworker is not None:
        if question.caseworker not in serving:
            raise UnknownCaseworker(f"No caseworker '{question.caseworker}' serves the offer '{offer.name}'.")
        serving = [question.caseworker]
    return _published(rulebook, serving, shadow=question.shadow)


def partners(
    rulebook: Rulebook, directory: Directory, offer: Offer, *, shadow: bool
) -> tuple[tuple[MailboxId, ...], ...]:
    """By role, those who may fill it."""
    known = ([one for one in role if one in directory.caseworkers] for role in offer.partners)
    return tuple(tuple(_published(rulebook, role, shadow=shadow)) for role in known)


def _published(rulebook: Rulebook, people: Iterable[MailboxId], *, shadow: bool) -> list[MailboxId]:
    modes = (Mode.LIVE, Mode.SHADOW) if shadow else (Mode.LIVE,)
    return [one for one in people if rulebook.policy(one).mode in modes]


def unpublished(rulebook: Rulebook, offer: Offer, caseworker: MailboxId, *, shadow: bool = False) -> Reason | None:
    """Why this person's times are not published at all; None when they are. :param shadow: as if shadow were live."""
    if caseworker not in offer.caseworkers:
        return Reason.NOT_SERVING
    mode = rulebook.policy(caseworker).mode
    if mode is Mode.SHADOW:
        return None if shadow else Reason.TEAM_IN_SHADOW
    return Reason.TEAM_CLOSED if mode is Mode.CLOSED else None


def out_of_reach(offer: Offer, directory: Directory, slot: Slot, now: datetime, *, immediate: bool) -> bool:
    """Whether *slot* is too soon or too late, which no fresher calendar would change."""
    zone = directory.sites[directory.caseworkers[slot.caseworker].site].zone
    return not earliest(offer, now) <= epoch(slot.interval.start) < horizon_end(offer, now, zone, immediate=immediate)


def bookable(
    offer: Offer,
    directory: Directory,
    people: Sequence[MailboxId],
    window: Interval,
    now: datetime,
    latest: date | None = None,
) -> Interval:
    """*window* without what lies behind us, after *latest* or beyond every horizon, where nothing is on offer anyway.

    When nothing is left it is the present minute, in which no meeting fits: whether calendars can be trusted is
    judged by today, not by a day that no calendar is read for.
    """
    zones = {directory.sites[directory.caseworkers[one].site].zone for one in people}
    last = max((moment(horizon_end(offer, now, zone)) for zone in zones), default=window.end)
    start, end = max(window.start, now - timedelta(days=1)), min(window.end, last + timedelta(days=1))
    if latest is not None and (limit := last_instant(directory, people, latest)) is not None:
        end = min(end, limit)
    return Interval(start, end) if start < end else Interval(now, now + timedelta(minutes=1))
