"""The small office of `web_town`, with the planner facade of Jobnet in front of it, and a caller that plays DFDG."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import httpx2

from syncd.booking.desk import Desk
from syncd.booking.reservations import Reservations
from syncd.clock import Clock
from syncd.config.jobnet import CLIENT, JobnetSection
from syncd.cpr import Cpr, CprKey
from syncd.daemon.jobnet import nothing
from syncd.model.directory import Directory
from syncd.publish import Publisher
from syncd.publish.inforce import Rules
from syncd.store import Store, Tx
from syncd.web.deps import Deps
from syncd.web.jobnet.facade import Facade
from syncd.web.jobnet.mapping import MappingFile
from syncd.web.jobnet.matching import alike, offer_id
from tests.integration.web_town import NOW, Town

SUBJECT = "CN=STAR DFDG,serialNumber=UI:DK-O:G:1,O=Styrelsen for Arbejdsmarked,C=DK"
ISSUER = "CN=OCES3 udstedende CA,O=Den Danske Stat,C=DK"
CPR, OTHER = "0101900009", "0202850007"
KEY = CprKey(bytes(range(32)))
GROUP = "0f8fad5b-d9cb-469f-a165-70867728950e"
RULES = """
[offers.jobsamtale]
title = {da = "Jobsamtale", en = "Job talk"}
talk_type = "7"
minutes = {in-person = 30, phone = 30}
who = ["anna", "bo"]
step = 30
notice = 60
horizon_days = 28
cancel_notice = 60
moves = 2
reserve = {hours = ["11:00-12:00"], release_hours = 24, within_days = 10}

[offers.opfoelgning]
title = {da = "Opfølgning", en = "Follow-up"}
talk_type = "OPFOELGNING"
minutes = {phone = 30}
who = ["anna"]
step = 30
open_to = [{contact_groups = ["2"]}, {categories = ["3"], groups = ["%s"]}]

[offers.internt]
title = {da = "Internt", en = "Internal"}
minutes = {phone = 30}
who = ["bo"]

[[hours]]
who = ["everyone"]
days = "mon-fri"
from = "09:00"
to = "12:00"
""".replace("%s", GROUP)


Agreed = Callable[[Tx, str, datetime, date | None], None]


def section(**more: Any) -> JobnetSection:
    """The facade behind a proxy on this machine."""
    given = {
        "cpr_key": {"env": "CPR_KEY"},
        "jobcentres": {"12345": [], "54321": ["opfoelgning"]},
        "caseworkers": {"anna": "RID:1234567890"},
        "certificate_subjects": [SUBJECT],
        "certificate_issuers": [ISSUER],
        "trusted_proxies": ["127.0.0.1"],
    }
    return JobnetSection.model_validate(given | more)


def facade(
    section: JobnetSection,
    mapping: MappingFile,
    parts: tuple[Store, Publisher, Desk, Rules],
    directory: Callable[[], Directory],
    clock: Clock,
    agreed: Agreed = nothing,
    **more: Any,
) -> Facade:
    """The planner's side of the contract over these parts."""
    store, publisher, desk, rules = parts
    life = timedelta(minutes=section.reservation_minutes)
    alone = lambda book, offer: alike(book, mapping.codes, offer)
    return Facade(
        section=section,
        mapping=mapping,
        store=store,
        publisher=publisher,
        reservations=Reservations(store, desk, rules, CLIENT, life, alone, agreed),
        directory=directory,
        clock=clock,
        **more,
    )


@dataclass
class JobnetTown(Town):
    """The office as Jobnet meets it."""

    section: JobnetSection = field(default_factory=section)
    mapping: MappingFile = field(default_factory=lambda: MappingFile.model_validate({}))
    agreed: Agreed = nothing

    def __post_init__(self) -> None:
        super().__post_init__()
        with self.store.begin() as tx:
            tx.rules.add(RULES, "test", NOW)
            self.installation = tx.settings.installation()

    def facade(self) -> Facade:
        """What the daemon would build."""
        parts = (self.store, self.publisher, self.desk, self.rules)
        more = {"identifiers": self.section.caseworkers, "freshen": self.freshen, "key": KEY}
        return facade(self.section, self.mapping, parts, lambda: self.directory, self.clock, self.agreed, **more)

    def deps(self) -> Deps:
        """What the daemon would hand over."""
        return replace(super().deps(), jobnet=self.facade())

    def offer(self, name: str = "jobsamtale") -> str:
        """The MoedetilbudId of an offer."""
        return offer_id(self.installation, name)

    def citizen(self, cpr: str = CPR) -> str:
        """The reference of a citizen."""
        return KEY.reference(Cpr(cpr))


class Dfdg:
    """Calls the REST generation as DFDG does behind the municipality's proxy."""

    def __init__(self, base: str, cpr: str = CPR, http: httpx2.Client | None = None) -> None:
        self.cpr = cpr
        self.http = http or httpx2.Client(base_url=base, timeout=20, trust_env=False)

    def of(self, cpr: str) -> Dfdg:
        """The same caller, about another citizen."""
        return Dfdg("", cpr, self.http)

    def headers(self, **more: str | None) -> dict[str, str]:
        """What every call carries; None leaves one out."""
        given: dict[str, str | None] = {
            "X-SSL-Client-Verify": "SUCCESS",
            "X-SSL-Client-S-DN": SUBJECT,
            "X-SSL-Client-I-DN": ISSUER,
            "x-civilregistrationIdentifier": self.cpr,
            "x-organisationTypeIdentifier": "2",
            "x-organisationCode": "81",
            "x-requestUserTypeIdentifier": "1",
            "x-requestUserIdentifier": self.cpr,
            "x-purpose": "selvbooking",
            "x-requestId": str(uuid.uuid4()),
        }
        return {name: value for name, value in (given | more).items() if value is not None}

    def post(self, path: str, body: Any = None, **headers: str | None) -> httpx2.Response:
        """POST below the contract's prefix."""
        url = f"/v1/BorgerBooking{path}"
        return self.http.post(url, json={} if body is None else body, headers=self.headers(**headers))

    def offers(self, group: int = 1, **more: Any) -> httpx2.Response:
        """E1."""
        return self.post("/Moedetilbud", {"JobcenterKode": "12345", "KontaktgruppeType": group} | more)

    def times(self, offer: str, start: str = "2026-12-01T00:00:00Z", end: str = "2026-12-02T00:00:00Z", **more: Any):
        """E2."""
        body = {"BookingOptionIntervalStartTime": start, "BookingOptionIntervalEndTime": end} | more
        return self.post(f"/Moedetilbud/{offer}/Moedetider", body)

    def details(self, offer: str, start: str = "2026-12-01T08:00:00Z", **more: Any) -> httpx2.Response:
        """E3."""
        return self.post(f"/Moedetilbud/{offer}/Detaljer", {"StartTidspunkt": start} | more)

    def reserve(self, booking: str, start: str, **more: Any) -> httpx2.Response:
        """E4."""
        return self.post(f"/Booking/{booking}/action/reserver", {"StartTidspunkt": start} | more)

    def create(self, booking: str, reservation: str, **more: Any) -> httpx2.Response:
        """E5."""
        return self.post(f"/Booking/{booking}", {"ReservationId": reservation} | more)

    def booked(self, offer: str, start: str = "2026-12-01T08:00:00Z", **more: Any) -> str:
        """Choose and create; the new IndkaldelseId."""
        booking = str(uuid.uuid4())
        reserved = self.details(offer, start, **more)
        assert 200 == reserved.status_code, reserved.text
        made = self.create(booking, reserved.json()["ReservationId"])
        assert 200 == made.status_code, made.text
        return booking


@contextmanager
def opened(url: str) -> Iterator[JobnetTown]:
    """A town over a database with the newest schema, until the block ends."""
    store = Store(url)
    yield JobnetTown(store)
    store.close()


@contextmanager
def calling(base: str) -> Iterator[Dfdg]:
    """A caller, until the block ends."""
    caller = Dfdg(base)
    yield caller
    caller.http.close()


def starts(answer: httpx2.Response) -> list[str]:
    """The starts of the times of an answer, each once."""
    slots = answer.json().get("BookingTimeslotCollection", [])
    return [key for key, _ in itertools.groupby(one["StartTime"] for one in slots)]
