"""Everybody's working hours under one revision of the rules; people with equal hours share one value."""

from __future__ import annotations

from syncd.model.directory import Directory, MailboxId
from syncd.model.offer import Rulebook
from syncd.slots.hours import Hours


class Roster:
    """Hours by person, made when first asked for."""

    def __init__(self, rulebook: Rulebook, directory: Directory) -> None:
        self.rulebook, self.directory = rulebook, directory
        self._hours: dict[MailboxId, Hours] = {}
        self._shared: dict[object, Hours] = {}

    def hours(self, person: MailboxId) -> Hours:
        """Everything that decides when *person* is at work; the same object for equal hours."""
        found = self._hours.get(person)
        if found is None:
            found = self._hours[person] = self._made(person)
        return found

    def _made(self, person: MailboxId) -> Hours:
        rulebook = self.rulebook
        site = self.directory.sites[self.directory.caseworkers[person].site]
        closings = tuple(closing for closing in rulebook.closings if not closing.sites or site.id in closing.sites)
        rules, exceptions = rulebook.hours.get(person, ()), rulebook.exceptions.get(person, ())
        made = Hours(rules, site.zone, exceptions, closings, rulebook.holidays)
        return self._shared.setdefault((rules, site.zone, exceptions, closings, rulebook.holidays), made)
