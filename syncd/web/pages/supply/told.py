"""What figures of supply are called and mean, for the page, the table and the mail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from syncd.config import TargetSection
from syncd.dfdg.talks import Share
from syncd.model.offer import Rulebook
from syncd.publish.weeks import Cause, Window
from syncd.web.pages.language import N_, NN_, Language
from syncd.web.pages.supply.board import Board, Person, Team

CAUSES: Mapping[Cause, tuple[str, str]] = {
    Cause.RULE: (
        N_("The rules leave no time: working hours, marks in the calendar, opening hours, or the team's mode."),
        N_("Look at her hours and mode in the rules, and whether she marks time for self-booking."),
    ),
    Cause.BUSY: (
        N_("The calendar is full, of own events or of meetings that are booked."),
        N_("Talk about what can be moved, or which time can be set aside for self-booking."),
    ),
    Cause.STALE: (
        N_("The calendar cannot be read now; unknown time is never free time."),
        N_("Those who operate the service see why on their page of health."),
    ),
    Cause.QUOTA: (
        N_("The most meetings or minutes a day or week are booked."),
        N_("Raise the cap in the rules, if there is room for more."),
    ),
    Cause.ROOM: (
        N_("Every suitable room is taken when the calendar has time."),
        N_("Facilities see when rooms are lacking; a talk by telephone needs none."),
    ),
    Cause.PARTNER: (
        N_("Nobody is free at the same time for a further role of the meeting."),
        N_("Look at the partners' calendars, or name more of them in the rules."),
    ),
}
"""Why somebody has nothing on offer, and what one can do about it."""
SHARE_MEANS = N_(
    "Self-booked × 100 / (self-booked + summoned), as the authority counts it: walk-ins, joint talks, first talks and "
    "talks of exempted or deprived citizens are left out; for unemployment benefit only walk-ins and joint talks."
)
OWN_ONLY = N_(
    "Only what was booked through syncd is known: the case system's summonses are not seen, so the share may be too "
    "high."
)
UNSEEN = N_("The case system's summonses are not seen: what is summoned is too low, and the share too high.")
SEEN = N_("The case system's summonses are seen by messages.")
TEAMLESS = N_("Without a team")
EVERYBODY = N_("All together")
IDLE = NN_("%(num)s person has no free time.", "%(num)s people have no free time.")
MISSING = NN_("%(num)s is missing", "%(num)s are missing")


HEADS = (
    N_("Group"), N_("Team"), N_("Who"), N_("Week"), N_("Expected"), N_("Booked"), N_("On offer"), N_("Missing"),
    N_("Self-booked"), N_("Target"),
)  # fmt: skip
"""The heads of `rows`."""


@dataclass(frozen=True, slots=True)
class Target:
    """How a team stands against what it aims at. :param met: None: no target."""

    name: str
    value: str
    aim: str
    met: bool | None
    trend: str


def team_name(team: Team, speaking: Language) -> str:
    """What a team is called."""
    return team.name or speaking.say(TEAMLESS)


def coverage(board: Board, speaking: Language) -> str:
    """What the share rests on."""
    if board.coverage is None:
        return speaking.say(OWN_ONLY)
    return speaking.say(SEEN if board.coverage.summonses else UNSEEN)


def offer_name(book: Rulebook, name: str, speaking: Language) -> str:
    """The title of an offer."""
    offer = book.offers.get(name)
    return name if offer is None else offer.title.get(speaking.code, next(iter(offer.title.values()), name))


def targets(team: Team, aims: TargetSection | None, speaking: Language) -> list[Target]:
    """Share and talks of a team, with target and trend."""
    say, share_aim, talks_aim = speaking.say, aims.share if aims else None, aims.talks if aims else None
    now, before = team.now.value, team.before.value
    held, earlier = _mean(team.talks[-4:]), _mean(team.talks[-8:-4])
    return [
        Target(
            say(N_("Self-booked, last four weeks")),
            speaking.percent(now),
            "" if share_aim is None else speaking.percent(share_aim / 100),
            None if share_aim is None or now is None else 100 * now >= share_aim,
            _trend(now, before, speaking, percent=True),
        ),
        Target(
            say(N_("Talks a week, last four weeks")),
            speaking.number(held, 1),
            "" if talks_aim is None else speaking.number(talks_aim),
            None if talks_aim is None else held >= talks_aim,
            _trend(held, earlier, speaking, percent=False),
        ),
    ]


def _mean(numbers: Sequence[int]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0


def _trend(now: float | None, before: float | None, speaking: Language, *, percent: bool) -> str:
    if now is None or before is None:
        return speaking.say(N_("nothing to compare with"))
    change = now - before
    if percent:
        told = speaking.number(abs(100 * change), 1) + " " + speaking.say(N_("points"))
    else:
        told = speaking.number(abs(change), 1)
    if abs(change) < (0.005 if percent else 0.05):
        return speaking.say(N_("as in the four weeks before"))
    sign = "▲" if change > 0 else "▼"
    words = N_("%(sign)s %(change)s more than before") if change > 0 else N_("%(sign)s %(change)s less than before")
    return speaking.say(words, sign=sign, change=told)


def rows(
    board: Board,
    teams: Sequence[Team],
    book: Rulebook,
    aims: Mapping[str, TargetSection],
    speaking: Language,
    *,
    persons: bool,
) -> Iterator[list[str]]:
    """Everything as rows of text: group, team, who, week or days, expected, booked, on offer, missing, share.

    :param persons: with a line for each caseworker.
    """
    say = speaking.say
    yield [say(one) for one in HEADS]
    for team in teams:
        aim = aims.get(team.name)
        share_aim = "" if aim is None or aim.share is None else f"{aim.share}"
        yield from _weeks(board, say(N_("Team")), team_name(team, speaking), "", team, speaking, share_aim)
        for week, share, talks in zip(board.past, team.shares, team.talks, strict=True):
            value = "" if share is None else speaking.number(100 * share, 1)
            yield [say(N_("Trend")), team_name(team, speaking), "", f"{week}", "", f"{talks}", "", "", value, share_aim]
        for person in team.people if persons else ():
            yield from _weeks(
                board, say(N_("Person")), team_name(team, speaking), person.who.name, person, speaking, ""
            )
    for one in board.windows:
        when, asked = f"{one.first} – {one.until}", "" if one.asked is None else f"{one.asked}"
        title = offer_name(book, one.offer, speaking)
        missing = "" if one.asked is None else f"{max(0, one.asked - one.left)}"
        yield [say(N_("Times left")), "", title, when, asked, "", f"{one.left}", missing, "", ""]


def _weeks(
    board: Board, group: str, team: str, who: str, of: Team | Person, speaking: Language, aim: str
) -> Iterator[list[str]]:
    share: Share = of.now if isinstance(of, Team) else of.self_booked
    value = "" if share.value is None else speaking.number(100 * share.value, 1)
    for monday, cell in zip(board.mondays, of.cells, strict=True):
        expected = "" if cell.expected is None else f"{cell.expected}"
        missing = "" if cell.expected is None else f"{cell.missing}"
        yield [group, team, who, f"{monday}", expected, f"{cell.booked}", f"{cell.left}", missing, value, aim]


def shortest(found: Sequence[Window]) -> Window | None:
    """The window of the nearest days with the fewest times left."""
    near = [one for one in found if one.asked is None]
    first = min((one.until for one in near), default=None)
    return min((one for one in near if one.until == first), key=lambda one: one.left, default=None)
