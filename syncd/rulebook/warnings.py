"""Rules that can be read but will never yield a time, said before they go live."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, time
from itertools import combinations

from syncd.model.directory import Directory, Room
from syncd.model.eligibility import Own
from syncd.model.offer import AvailabilityRule, CitizenLimit, Form, Offer, RoomRequirement, Rulebook
from syncd.model.policy import Mode, Source

DAY = 24 * 60
MANY = 2000
"""Caseworkers of one offer from which answers get slow."""


def warnings(rulebook: Rulebook, directory: Directory, today: date, mirrored_days: int | None = None) -> list[str]:
    """One sentence per suspicious rule, its place first.

    :param mirrored_days: how far ahead calendars are read (``sync.horizon_days``).
    """
    found: list[str] = []
    for name, offer in rulebook.offers.items():
        found += [f"offers.{name}: {text}" for text in _about_offer(offer, rulebook, directory, mirrored_days)]
    found += [f"limits: {text}" for text in _about_limits(rulebook)]
    for person_id in sorted({person_id for offer in rulebook.offers.values() for person_id in offer.caseworkers}):
        found += [f"caseworker '{person_id}': {text}" for text in _about_person(person_id, rulebook, today)]
    return found


def _about_limits(rulebook: Rulebook) -> Iterator[str]:
    for limit in rulebook.limits:
        if any(other is not limit and _wider(other, limit) for other in rulebook.limits):
            yield f"more than {limit.most} in {limit.days} days is already told by a stricter limit"


def _wider(one: CitizenLimit, other: CitizenLimit) -> bool:
    """Whether *one* tells of everything that *other* does."""
    same = one.offers == other.offers and one.per_caseworker == other.per_caseworker
    return same and one.most <= other.most and one.days >= other.days


def _about_offer(offer: Offer, rulebook: Rulebook, directory: Directory, mirrored_days: int | None) -> Iterator[str]:
    if not offer.caseworkers:
        yield "nobody serves it"
        return
    if offer.notice >= offer.horizon_days * DAY:
        yield (
            f"horizon_days = {offer.horizon_days} is not longer than notice = {offer.notice} minutes; "
            "it can never yield a time"
        )
    if mirrored_days is not None and offer.horizon_days > mirrored_days:
        yield f"horizon_days = {offer.horizon_days}, but calendars are read {mirrored_days} days ahead only"
    if len(offer.caseworkers) > MANY:
        yield (
            f"{len(offer.caseworkers)} caseworkers serve it; one answer about all of them takes a second. "
            "Part it into offers of fewer people"
        )
    yield from _rooms_missing(offer, directory)
    yield from _finer(offer, rulebook, directory)
    longest = max((_longest(rulebook.hours.get(one, ())) for one in offer.caseworkers), default=0)
    for form, minutes in offer.minutes.items():
        if longest and minutes > longest and not _by_marks(offer, rulebook):
            yield f"minutes.{form}: {minutes} minutes fit into nobody's hours (longest: {longest})"


def _finer(offer: Offer, rulebook: Rulebook, directory: Directory) -> Iterator[str]:
    """Rules that shut each other out."""
    for number, role in enumerate(offer.partners):
        if not role or (set(role) == set(offer.caseworkers) and len(role) == 1):
            yield f"partners[{number}]: nobody else can fill this role; it can never yield a time"
    if offer.own is not Own.ANY and offer.open_to == () and len(offer.caseworkers) == 1:
        yield f"own = {offer.own.value}, but only one caseworker serves it"
    for number, guard in enumerate(offer.supply):
        if guard.first_day > offer.horizon_days:
            yield f"supply[{number}]: its days begin after horizon_days = {offer.horizon_days}; it is always short"
    if offer.reserve is not None and offer.reserve.within_days * DAY < offer.notice:
        yield f"reserve: within_days = {offer.reserve.within_days} is shorter than notice; nothing is immediate"
    yield from _never_open(offer, rulebook, directory)


def _never_open(offer: Offer, rulebook: Rulebook, directory: Directory) -> Iterator[str]:
    """Sites that citizens can only get into when nobody works, or not for long enough."""
    minutes = offer.minutes.get(Form.IN_PERSON)
    for site in sorted({directory.caseworkers[one].site for one in offer.caseworkers}) if minutes else ():
        rules = rulebook.openings.get(site, ())
        if minutes and rules and minutes > _longest(rules):
            yield f"openings: site '{site}' is never open for {minutes} minutes; in-person is never offered there"


def _by_marks(offer: Offer, rulebook: Rulebook) -> bool:
    return any(rulebook.policy(person_id).source is not Source.RULES for person_id in offer.caseworkers)


def _rooms_missing(offer: Offer, directory: Directory) -> Iterator[str]:
    """Sites where a form is never offered, because no room there could take it."""
    people = [directory.caseworkers[person_id] for person_id in offer.caseworkers]
    for site in sorted({person.site for person in people}):
        open_plan = any(person.open_plan for person in people if person.site == site)
        rooms = [room for room in directory.rooms.values() if room.site == site]
        for key in ("room", "remote_room"):
            forms = [
                form
                for form in sorted(offer.forms)
                if offer.needs_room(form, open_plan=open_plan) and (form is Form.IN_PERSON) == (key == "room")
            ]
            if forms:
                yield from _unmet(key, offer, forms, site, rooms)


def _unmet(key: str, offer: Offer, forms: Sequence[Form], site: str, rooms: Sequence[Room]) -> Iterator[str]:
    able = [room for room in rooms if fits(room, offer.room_for(forms[0]))]
    names = ", ".join(forms)
    if not able:
        why = "has no room" if not rooms else "has no room that meets the requirement"
        yield f"{key}: site '{site}' {why}; {names} is never offered there"
    elif all(room.open_minutes < offer.minutes[form] for room in able for form in forms):
        yield f"{key}: {names} is longer than any suitable room of site '{site}' is open"


def fits(room: Room, need: RoomRequirement) -> bool:
    """Whether *room* could ever serve *need*."""
    return room.capacity >= need.seats and need.features <= room.features and (room.step_free or not need.step_free)


def _about_person(person_id: str, rulebook: Rulebook, today: date) -> Iterator[str]:
    policy, rules = rulebook.policy(person_id), rulebook.hours.get(person_id, ())
    if policy.mode is Mode.LIVE and policy.source is not Source.MARKED:
        if not rules:
            yield "serves an offer but has no hours; never offered"
        elif all(rule.valid_to is not None and rule.valid_to < today for rule in rules):
            yield "the hours have all ended (valid_to); never offered"
    for rule in rules:
        if rule.ends <= rule.starts and rule.ends != time():
            yield f"the hours {rule.starts:%H:%M}-{rule.ends:%H:%M} cross midnight; is that meant?"
    if any(6 in rule.weekdays and rule.starts < time(3) and _reaches_two(rule) for rule in rules):
        yield "works on Sundays between 02:00 and 03:00, an hour that is skipped in March and comes twice in October"
    for one, other in combinations(rulebook.exceptions.get(person_id, ()), 2):
        if one.first <= other.last and other.first <= one.last and one != other:
            yield (
                f"two exceptions hold on {max(one.first, other.first)}; "
                "the more particular one counts, of two alike the later"
            )


def _reaches_two(rule: AvailabilityRule) -> bool:
    return rule.ends > time(2) or rule.ends <= rule.starts


def _longest(rules: Iterable[AvailabilityRule]) -> int:
    """Wall-clock minutes of the longest stretch of work on any weekday; touching rules make one stretch."""
    best = 0
    listed = list(rules)
    for weekday in range(7):
        end = -1
        start = 0
        for begin, length in sorted(_span(rule) for rule in listed if weekday in rule.weekdays):
            start = begin if begin > end else start
            end = max(end, begin + length)
            best = max(best, end - start)
    return best


def _span(rule: AvailabilityRule) -> tuple[int, int]:
    """Begin (minutes after midnight) and length."""
    starts, ends = (at.hour * 60 + at.minute for at in (rule.starts, rule.ends))
    return starts, ends - starts if ends > starts else ends - starts + DAY
