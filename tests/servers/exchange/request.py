"""One request: who asks, in whose name, in which zone; and what its ids name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.servers.exchange.ids import ItemKey, folder_of, item_key
from tests.servers.exchange.model import Entry, Sight
from tests.servers.exchange.wire import Element, EwsError, Fault, child, children, local, value
from tests.servers.exchange.world import FOLDERS, Account, Mailbox, World
from tests.servers.exchange.zones import iana

VERSIONS = frozenset(
    [
        *("Exchange2007", "Exchange2007_SP1", "Exchange2010", "Exchange2010_SP1", "Exchange2010_SP2"),
        *("Exchange2013", "Exchange2013_SP1", "Exchange2015", "Exchange2016"),
    ]
)
"""Schemas that an Exchange Server 2019 speaks."""
ROOTS = ("root", "msgfolderroot", "publicfoldersroot")


@dataclass
class Request:
    """A request that was let in.

    :param operation: name of the body's element, such as FindItem.
    :param mailbox: in whose name it is made; None where nobody was named and the account has no mailbox.
    :param twists: what a fault changes in the answer; keys are told in `faults`.
    """

    world: World
    operation: str
    element: Element
    account: Account
    mailbox: Mailbox | None
    impersonated: bool
    zone: str = "UTC"
    headers: Mapping[str, str] = field(default_factory=dict)
    twists: dict[str, str] = field(default_factory=dict)
    backend: str = ""

    def folder(self, element: Element) -> tuple[Mailbox, str]:
        """The folder that a FolderId or DistinguishedFolderId names.

        :raises EwsError: there is none, or it may not be opened.
        """
        if local(element) == "FolderId":
            mark, name = folder_of(element.get("Id") or "")
            box = self.world.marks.get(mark)
            if box is None:
                raise EwsError("ErrorItemNotFound", "The specified object was not found in the store.")
        else:
            name = element.get("Id") or ""
            address = value(element, "t:Mailbox/t:EmailAddress")
            found = self.world.box(address) if address else self.mailbox
            if found is None:
                raise EwsError("ErrorMissingEmailAddress", "The account has no mailbox, and none was named.")
            box = found
        if name not in (*FOLDERS, *ROOTS):
            raise EwsError("ErrorFolderNotFound", "The specified folder could not be found in the store.")
        self.allow(box)
        return box, name

    def allow(self, box: Mailbox) -> None:
        """Refuse what the account may not open.

        :raises EwsError: ErrorAccessDenied.
        """
        own = self.mailbox is box
        rights = () if self.impersonated else self.account.full_access
        if not own and "*" not in rights and box.address.email.lower() not in {one.lower() for one in rights}:
            raise EwsError("ErrorAccessDenied", "Access is denied. Check credentials and try again.")

    def target(self, path: str) -> tuple[Mailbox, str]:
        """The one folder inside the element at *path*."""
        holder = child(self.element, path)
        if holder is None:
            raise EwsError("ErrorInvalidRequest", f"{path} is missing.")
        return self.folder(next(children(holder)))

    def item(self, element: Element) -> tuple[Mailbox, Sight]:
        """What an ItemId, OccurrenceItemId or RecurringMasterItemId names."""
        kind = local(element)
        if kind == "OccurrenceItemId":
            box, entry = self._entry(item_key(element.get("RecurringMasterId") or ""))
            return box, nth(entry, int(element.get("InstanceIndex") or "0"))
        if kind == "RecurringMasterItemId":
            box, entry = self._entry(item_key(element.get("OccurrenceId") or ""))
            return box, entry.whole()
        key = item_key(element.get("Id") or "")
        self._entry(key)
        return self.world.sight(key)

    def _entry(self, key: ItemKey) -> tuple[Mailbox, Entry]:
        box, entry = self.world.entry(key)
        self.allow(box)
        return box, entry


def nth(entry: Entry, index: int) -> Sight:
    """The occurrence of an InstanceIndex, which counts from 1 and counts deleted ones, too.

    :raises EwsError: there is none, or it is deleted.
    """
    if entry.recurrence is None:
        raise EwsError("ErrorCalendarCannotUseIdForOccurrenceId", "The id does not name a series.")
    for number, original in enumerate(entry.originals(), 1):
        if number == index:
            seen = entry.occurrence(original)
            if seen is None:
                text = "Occurrence with this index was previously deleted from the recurrence."
                raise EwsError("ErrorCalendarOccurrenceIsDeletedFromRecurrence", text)
            return seen
        if number > index:
            break
    text = "Occurrence index is out of recurrence range."
    raise EwsError("ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange", text)


def admit(
    world: World, account: Account, operation: str, element: Element, header: Element | None, headers: Mapping[str, str]
) -> Request:
    """Check impersonation and read the header.

    :raises Fault: the account may not act for that mailbox, or nobody has it.
    """
    asked = child(header, "t:RequestServerVersion") if header is not None else None
    if asked is not None and asked.get("Version") not in VERSIONS:
        raise Fault("ErrorInvalidServerVersion", "The specified server version is invalid.")
    person = child(header, "t:ExchangeImpersonation/t:ConnectingSID") if header is not None else None
    mailbox, impersonated = None, person is not None
    if person is not None:
        if not account.impersonates:
            raise Fault(
                "ErrorImpersonateUserDenied", "The account does not have permission to impersonate the requested user."
            )
        address = next((one.text or "" for one in children(person)), "")
        mailbox = world.find(address)
        if mailbox is None:
            raise Fault("ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it.")
        if mailbox.address.email.lower() != address.lower() and local(next(children(person))) == "PrimarySmtpAddress":
            text = "Please use the primary SMTP address of the mailbox."
            raise Fault("ErrorNonPrimarySmtpAddress", text, Primary=mailbox.address.email)
    elif account.application:
        text = "ExchangeImpersonation SOAP header must be present for this type of OAuth token."
        raise Fault("ErrorImpersonationRequired", text)
    elif account.address:
        mailbox = world.find(account.address)
    zone_element = child(header, "t:TimeZoneContext/t:TimeZoneDefinition") if header is not None else None
    zone = "UTC" if zone_element is None else zone_element.get("Id") or "UTC"
    try:
        iana(zone)
    except EwsError as problem:
        raise Fault(problem.code, problem.text) from problem
    return Request(world, operation, element, account, mailbox, impersonated, zone, headers)


Handler = Callable[[Request], Element]
