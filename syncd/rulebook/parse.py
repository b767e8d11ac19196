"""The text of a rules file becomes a Rulebook, with teams resolved to people."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from pydantic import ValidationError

from syncd.errors import ConfigError
from syncd.model.busy import BusyType
from syncd.model.directory import Caseworker, Directory, MailboxId
from syncd.model.eligibility import Matching
from syncd.model.offer import CitizenLimit, Guard, Offer, Reserve, RoomRequirement, Rulebook
from syncd.model.policy import Blocks, Closing, Holidays, Policy
from syncd.rulebook.hours import exceptions, hours, openings, weekly
from syncd.rulebook.names import serving, unknown_names, unknown_words
from syncd.rulebook.offer_sections import OfferSection, ReserveSection, RoomNeedSection
from syncd.rulebook.sections import BlocksSection, PolicySection, RulesFile
from syncd.section import complaints

SOURCE = "rules"


def parse(text: str, directory: Directory, number: int, source: str = SOURCE, *, leavers: bool = False) -> Rulebook:
    """The rules in *text* as revision *number*, for the people of *directory*.

    :param source: what to call the text in messages: a file name, ``revision 7``.
    :param leavers: pass over names that nobody has any more: a revision that was right when it was applied stays
        in force when somebody leaves.
    :raises ConfigError: with all problems at once, each with its path and a hint.
    """
    rules = read(text, None if leavers else directory, source)
    people = directory.caseworkers
    return Rulebook(
        number=number,
        offers={name: _offer(name, offer, people) for name, offer in rules.offers.items()},
        hours=hours(rules.hours, rules.periods, people),
        exceptions=exceptions(rules.exceptions, people),
        policies=_policies(rules, people),
        closings=tuple(
            Closing(closing.first, closing.last or closing.first, closing.why, frozenset(closing.sites))
            for closing in rules.closings
        ),
        holidays=Holidays(**rules.holidays.model_dump()),
        openings=openings(rules.openings, directory.sites),
        limits=tuple(
            CitizenLimit(limit.most, limit.days, limit.per == "citizen-and-caseworker", limit.offers)
            for limit in rules.limits
        ),
    )


def read(text: str, directory: Directory | None = None, source: str = SOURCE) -> RulesFile:
    """The tables of a rules file, checked; against *directory* too when one is given.

    :raises ConfigError: with all problems at once.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(source, [f"is not TOML: {error}"]) from None
    except ValueError:
        raise ConfigError(source, ["has a number of thousands of digits"]) from None
    except RecursionError:
        raise ConfigError(source, ["is nested too deeply"]) from None
    problems: list[str] = []
    rules: RulesFile | None = None
    try:
        rules = RulesFile.model_validate(raw)
    except ValidationError as error:
        problems += complaints(error, RulesFile)
    problems += list(unknown_words(raw))
    if directory is not None:
        problems += list(unknown_names(raw, directory))
    if problems or rules is None:
        raise ConfigError(source, problems)
    return rules


_MADE = {
    "who",
    "room",
    "remote_room",
    "room_forms",
    "open_plan_room_forms",
    "competences",
    "partners",
    "open_to",
    "reserve",
    "supply",
}
"""Keys of an offer that become something else."""


def _offer(name: str, offer: OfferSection, people: Mapping[MailboxId, Caseworker]) -> Offer:
    able = {one: person for one, person in people.items() if offer.competences <= set(person.competences)}
    return Offer(
        name=name,
        caseworkers=tuple(serving(offer.who, able)),
        room=_need(offer.room, _room_seats(offer)),
        remote_room=_need(offer.remote_room, offer.remote_room.seats),
        room_forms=frozenset(offer.room_forms) & frozenset(offer.minutes),
        open_plan_forms=frozenset(offer.open_plan_room_forms) & frozenset(offer.minutes),
        partners=tuple(tuple(serving(role, people)) for role in offer.partners),
        open_to=tuple(Matching(**way.model_dump()) for way in offer.open_to),
        reserve=_reserve(offer.reserve),
        supply=tuple(
            Guard(one.from_days, one.to_days, one.at_least, one.immediate, one.opens_reserve) for one in offer.supply
        ),
        **offer.model_dump(exclude=_MADE),
    )


def _room_seats(offer: OfferSection) -> int:
    """A group meeting's room takes all its citizens and the caseworker."""
    return max(offer.room.seats, offer.seats + 1) if offer.seats > 1 else offer.room.seats


def _need(section: RoomNeedSection, seats: int) -> RoomRequirement:
    return RoomRequirement(seats, section.features, section.step_free)


def _reserve(section: ReserveSection | None) -> Reserve | None:
    if section is None:
        return None
    return Reserve(weekly(section.days, section.hours), section.release_hours * 60, section.within_days)


def _policies(rules: RulesFile, people: Mapping[MailboxId, Caseworker]) -> dict[MailboxId, Policy]:
    """By person; people of one team share one value."""
    teams = {team: _policy(section) for team, section in rules.teams.items()}
    everyone = _policy(rules.everyone)
    return {
        person_id: next((teams[team] for team in person.teams if team in teams), everyone)
        for person_id, person in people.items()
    }


def _policy(section: PolicySection) -> Policy:
    return Policy(
        mode=section.mode,
        source=section.publish,
        blocks=_blocks(section.blocks),
        free_all_day_blocks=section.free_all_day_blocks,
        per_day=section.per_day or None,
        per_week=section.per_week or None,
        weight=section.weight,
        minutes_per_day=section.minutes_per_day or None,
        minutes_per_week=section.minutes_per_week or None,
        expected_per_week=section.expected_per_week,
    )


def _blocks(section: BlocksSection) -> dict[BusyType, Blocks]:
    return {BusyType(name): value for name, value in section.model_dump(by_alias=True).items()}
