"""A message to a citizen as it leaves the house: looked up when it is taken, and handed to the mail server or gateway.

Nothing of it is logged or kept: not to whom it goes, and not what it says.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from syncd.adapters.handing import Away, Refused
from syncd.adapters.sms import Gateway
from syncd.adapters.smtp import Postman
from syncd.booking.openly import CLIENT
from syncd.booking.results import Appointment
from syncd.config import Config, secret
from syncd.daemon.parts import Parts
from syncd.errors import ConfigError
from syncd.model.booking import Booking, Meeting
from syncd.model.contact import Contact
from syncd.model.message import Channel, Message
from syncd.model.offer import Form
from syncd.ports import CheckResult
from syncd.store import Tx
from syncd.store.booking_links import BookingLinks
from syncd.web.pages.booking.letters import Around, mail, text
from syncd.web.pages.booking.telling import place_of
from syncd.web.pages.booking.written import number_of
from syncd.web.pages.language import language

SERVERS = {Channel.MAIL: ("mail server", "[mail]"), Channel.SMS: ("gateway for text messages", "[messages.sms]")}


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that was taken for sending, with everything it needs. :param spoken: code of its language."""

    message: Message
    found: Appointment
    contact: Contact
    around: Around
    spoken: str


def channels(config: Config) -> frozenset[Channel]:
    """The ways in which citizens are written to; none while it is switched off."""
    section = config.messages
    ways = {Channel.MAIL: bool(config.mail.host), Channel.SMS: section.sms is not None}
    return frozenset(way for way, there in ways.items() if there and section.enabled and not config.jobnet.on)


def silent_clients(config: Config) -> frozenset[str]:
    """Clients that write to their citizens themselves."""
    return frozenset(name for name, client in config.clients.items() if not client.messages)


def drafted(
    parts: Parts, tx: Tx, message: Message, booking: Booking, meeting: Meeting, contact: Contact, now: datetime
) -> Draft:
    """Look up what it says, in the transaction that took it; its links are new ones, for only digests are kept."""
    links, config, found = BookingLinks(tx.session), parts.config, Appointment(booking, meeting)
    spoken = links.language(booking.id) or config.language
    key, public = links.add(booking.id, spoken, now), config.pages.public_url.rstrip("/")
    query = "?lang=en" if spoken == "en" else ""
    own = booking.client == CLIENT and config.booking_page.enabled
    office = config.pages.office
    around = Around(
        organisation=parts.directory.organisation,
        office=office.get(spoken, office["da"]),
        support=parts.directory.support,
        place=place_of(found, parts.directory, announced=False),
        link=f"{public}/book/{key}{query}" if own else "",
        stop=f"{public}/messages/{key}{query}",
        video=(parts.directory.video(meeting.caseworker) or meeting.link or "") if meeting.form is Form.VIDEO else "",
        sender=config.mail.sender,
    )
    return Draft(message, found, contact, around, spoken)


class Letterbox:
    """Where messages go out; secrets are read anew for each."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def hand_over(self, draft: Draft, now: datetime) -> None:
        """Send it. :raises Undelivered: see `syncd.adapters.handing`."""
        try:
            if draft.message.channel is Channel.MAIL:
                self._mail(draft, now)
            else:
                self._sms(draft)
        except ConfigError as error:
            raise _unset(error) from error

    def reach(self, channel: Channel) -> None:
        """Find out whether messages could be handed over, sending none. :raises Away: they could not."""
        try:
            if channel is Channel.MAIL:
                self._postman.reach()
            else:
                self._gateway.reach()
        except ConfigError as error:
            raise _unset(error) from error

    def _mail(self, draft: Draft, now: datetime) -> None:
        recipient = draft.contact.mail
        if not recipient:
            raise Refused("there is no address any more", "no-address")
        try:
            letter = mail(draft.message.kind, draft.found, draft.around, language(draft.spoken), now)
            letter["To"] = recipient
            letter["Message-ID"] = f"<{_name(draft.message)}@{self._config.mail.sender.rpartition('@')[2]}>"
        except ValueError as error:  # an address that would begin another line, or that nobody can have
            raise Refused("the address cannot be written into a message", type(error).__name__) from None
        self._postman.send(letter, recipient)

    def _sms(self, draft: Draft) -> None:
        number = number_of(draft.contact.phone or "")
        if not number:
            raise Refused("there is no telephone number any more, or it is none", "no-number")
        said = text(draft.message.kind, draft.found, draft.around, language(draft.spoken))
        self._gateway.send(number, said, _name(draft.message))

    @cached_property
    def _postman(self) -> Postman:
        section = self._config.mail
        return Postman(section, lambda: secret(section.password) if section.password else "")

    @cached_property
    def _gateway(self) -> Gateway:
        section = self._config.messages.sms
        if section is None:
            raise Refused("there is no gateway any more", "no-gateway")
        return Gateway(section, lambda: secret(section.token))


def _unset(error: ConfigError) -> Away:
    """A secret that cannot be read."""
    return Away(f"{error.source} {'; '.join(error.problems)}", "ConfigError")


def _name(message: Message) -> str:
    """The same at each try, so that whoever takes it could see that it is one."""
    return f"{message.booking}.{message.number}"


def reached(config: Config, ways: Collection[Channel]) -> dict[Channel, CheckResult]:
    """Whether messages could be handed over each way, and what to do if not; nothing is sent."""
    letterbox, found = Letterbox(config), {}
    for way in sorted(ways):
        server, section = SERVERS[way]
        try:
            letterbox.reach(way)
            found[way] = CheckResult(True, f"The {server} takes messages.", {})
        except Away as error:
            says = f"The {server} takes no messages: {error}. Look at {section}, then: syncd check"
            found[way] = CheckResult(False, says, {"reason": error.reason})
    return found
