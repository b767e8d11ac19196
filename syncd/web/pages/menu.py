"""The pages that the head of every page leads to; each group of pages has its lines here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from syncd.model.role import Role
from syncd.web.pages.language import N_

EVERYBODY = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Entry:
    """One page. :param label: English, translated where it is shown. :param roles: who sees it.

    :param about: a sentence for the front page of those signed in.
    """

    path: str
    label: str
    about: str
    roles: frozenset[Role]


ROOMS = frozenset({Role.FACILITIES, Role.COORDINATOR, Role.MANAGER, Role.STAFF, Role.OPERATOR})
USING = frozenset({Role.FACILITIES, Role.COORDINATOR, Role.MANAGER})
COUNTER = frozenset({Role.STAFF, Role.COORDINATOR})
DECIDING = frozenset({Role.COORDINATOR, Role.MANAGER, Role.AUDITOR})
LOOKING = COUNTER | {Role.OPERATOR, Role.AUDITOR}
SUPPLY = frozenset({Role.COORDINATOR, Role.MANAGER, Role.STAFF})

MENU: tuple[Entry, ...] = (
    Entry("/rooms/now", N_("Rooms now"), N_("Which rooms are free, and until when."), ROOMS),
    Entry("/rooms/day", N_("The rooms' day"), N_("Every room's meetings, what was moved and why."), ROOMS),
    Entry("/rooms/use", N_("How rooms are used"), N_("Utilisation, peaks, fit, and what lacked a room."), USING),
    Entry(
        "/supply", N_("Supply"), N_("Expected, offered and booked by team and week, and the self-booked share."), SUPPLY
    ),
    Entry("/citizen", N_("What the citizen sees"), N_("The times on offer, why not, and a card to take home."), SUPPLY),
    Entry("/bookings", N_("Bookings"), N_("Find a booking, see what happened to it, move or cancel it."), LOOKING),
    Entry("/tasks", N_("Tasks"), N_("What waits for a person, with what could be done."), COUNTER | {Role.OPERATOR}),
    Entry("/absence", N_("Absence"), N_("Somebody is away: a solution for each meeting, confirmed at once."), COUNTER),
    Entry("/frames", N_("Frames"), N_("What may be booked, when and with whom: change it, and undo it."), DECIDING),
    Entry("/health", N_("Health"), N_("How the service stands, and what to do next."), frozenset({Role.OPERATOR})),
)


def menu(roles: Collection[Role]) -> list[Entry]:
    """What somebody with these roles may see."""
    return [entry for entry in MENU if entry.roles & set(roles)]
