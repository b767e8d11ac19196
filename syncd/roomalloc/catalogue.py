"""What cannot be right in a list of rooms, said all at once before anybody relies on it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from syncd.model.directory import Room, Site
from syncd.model.offer import RoomRequirement
from syncd.roomalloc.layout import suits


def problems(rooms: Sequence[Room], sites: Collection[str]) -> list[str]:
    """One sentence for each room that cannot be used as it is described."""
    found: list[str] = []
    seen: dict[tuple[str, str], str] = {}
    for room in rooms:
        where = f"rooms.{room.id}"
        if room.site not in sites:
            found.append(
                f"{where}.site: there is no site {room.site!r}; sites are {', '.join(sorted(sites)) or 'none'}"
            )
        if room.capacity < 1:
            found.append(f"{where}.capacity: {room.capacity} seats nobody; a room has at least 1")
        if room.turnover < 0:
            found.append(f"{where}.turnover: {room.turnover} minutes; it cannot be negative")
        open_minutes = room.open_minutes
        if open_minutes <= 0:
            found.append(f"{where}.closes: it must be after opens")
        elif room.turnover >= open_minutes:
            found.append(f"{where}.turnover: {room.turnover} minutes leave nothing of the {open_minutes} it is open")
        box = (room.mailbox.account, room.mailbox.url or room.mailbox.address.lower())
        if box in seen:
            found.append(f"{where}.mailbox: room {seen[box]} has the same one ({box[1]}); each room needs its own")
        seen.setdefault(box, room.id)
    return found


def unmet(
    needs: Mapping[str, RoomRequirement], minutes: Mapping[str, int], rooms: Iterable[Room], sites: Iterable[Site]
) -> list[str]:
    """One sentence for each offer whose meetings no room of a site could ever take.

    :param needs: per offer what its meetings ask of a room. :param minutes: per offer its shortest length.
    :param sites: the sites where it is served.
    """
    listed, found = list(rooms), []
    for site in sites:
        for offer, requirement in needs.items():
            able = [room for room in listed if room.site == site.id and suits(room, requirement)]
            if not able:
                found.append(f"offers.{offer}.room: no room of {site.id} has {described(requirement)}")
            elif all(room.open_minutes < minutes[offer] for room in able):
                found.append(
                    f"offers.{offer}.minutes: {minutes[offer]} is longer than any suitable room of {site.id} is open"
                )
    return found


def described(requirement: RoomRequirement) -> str:
    """The requirement in words."""
    words = [f"{requirement.seats} seats", *sorted(requirement.features)]
    return ", ".join([*words, "step-free access"] if requirement.step_free else words)


def freeze_problem(freeze: datetime, day: date, first_start: datetime) -> str | None:
    """A sentence when the rooms of *day* would be frozen only after its first meeting has begun."""
    if freeze <= first_start - timedelta(minutes=1):
        return None
    return f"freeze: the rooms of {day} would be frozen at {freeze.isoformat()}, after the first meeting has begun"
