"""Two hundred caseworkers and twenty offers behind Jobnet's facade, in a database and a server process."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from syncd.booking.desk import Desk
from syncd.clock import SystemClock
from syncd.config.jobnet import JobnetSection
from syncd.cpr import CprKey
from syncd.daemon.garbage import leave_out, look_seldom
from syncd.observe import logs
from syncd.publish import Publisher, PublishSettings, RulesInForce
from syncd.rulebook import apply_text
from syncd.store import Store
from syncd.web.app import build_app
from syncd.web.deps import Deps
from syncd.web.health import Health
from syncd.web.jobnet.mapping import MappingFile
from syncd.web.jobnet.soap_headers import CODE_LIST, METADATA, ORGANISATION, USER, USER_TYPE
from syncd.web.server import server
from tests.bench import slot_town
from tests.integration.jobnet_town import facade

PEOPLE, OFFERS, EVENTS = 200, 20, 100
DN = "CN=bench"
SPACE = MappingFile.model_validate({}).soap.namespace


def rules() -> str:
    """Twenty offers, each served by a fifth of the people."""
    parts = [slot_town.RULES[slot_town.RULES.index("[[hours]]") :]]
    for number in range(OFFERS):
        who = [f"p{one:04d}" for one in range(number % 5, PEOPLE, 5)]
        named = f'[offers.o{number}]\ntitle = {{da = "Samtale {number}"}}\ntalk_type = "{100 + number}"\n'
        parts.append(f"{named}minutes = {{phone = 30, video = 30}}\nwho = {who}\nstep = 30\nhorizon_days = 60\n")
    return "\n".join(parts)


def fill(url: str) -> int:
    """A fresh database; how many offers it has."""
    store = slot_town.fill(url, PEOPLE, 0, EVENTS)
    apply_text(store, rules(), slot_town.directory(PEOPLE, 0), "bench", SystemClock().now())
    store.close()
    return OFFERS


def headers(number: int) -> dict[str, str]:
    """What a call about the citizen of that number carries."""
    return {
        "X-SSL-Client-Verify": "SUCCESS",
        "X-SSL-Client-S-DN": DN,
        "X-SSL-Client-I-DN": DN,
        "x-civilregistrationIdentifier": _cpr(number),
        "x-organisationTypeIdentifier": "2",
        "x-organisationCode": "81",
        "x-requestUserTypeIdentifier": "1",
        "x-requestUserIdentifier": "x",
        "x-purpose": "bench",
    }


def _cpr(number: int) -> str:
    return f"{1 + number % 28:02d}{1 + number % 12:02d}80{number % 1000:04d}"


def envelope(offer: str, start: str, end: str, number: int) -> str:
    """The question about times over SOAP."""
    inside = "".join(
        f"<{name}>{text}</{name}>"
        for name, text in (
            ("PersonCivilRegistrationIdentifier", _cpr(number)),
            ("InterviewOptionID", offer),
            ("BookingOptionIntervalStartTime", start),
            ("BookingOptionIntervalEndTime", end),
        )
    )
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>'
        f'<o:ActiveOrganisationHeader xmlns:o="{ORGANISATION}"><o:OrganisationTypeIdentifier>2'
        "</o:OrganisationTypeIdentifier><o:OrganisationCode>81</o:OrganisationCode></o:ActiveOrganisationHeader>"
        f'<m:RequestUserMetadata xmlns:m="{METADATA}"><u:RequestUserStructure xmlns:u="{USER}">'
        f'<t:RequestUserTypeIdentifier xmlns:t="{USER_TYPE}"><c:CodeListItemIdentifier xmlns:c="{CODE_LIST}">1'
        "</c:CodeListItemIdentifier></t:RequestUserTypeIdentifier><u:UserIdentifier>x</u:UserIdentifier>"
        "</u:RequestUserStructure></m:RequestUserMetadata></s:Header><s:Body>"
        f'<GetSelfbookTimeslotsRequest xmlns="{SPACE}">{inside}</GetSelfbookTimeslotsRequest></s:Body></s:Envelope>'
    )


def serve(url: str, port: int) -> None:
    """Answer HTTP until killed."""
    store, everybody = Store(url), slot_town.directory(PEOPLE, 0)
    publisher = Publisher(store, lambda: everybody, PublishSettings(timedelta(days=1)))
    desk, rules_in_force = Desk(store, publisher, lambda: everybody), RulesInForce(store, lambda: everybody)
    section = JobnetSection.model_validate(
        {
            "cpr_key": {"env": "K"},
            "jobcentres": {"12345": []},
            "certificate_subjects": [DN],
            "certificate_issuers": [DN],
            "trusted_proxies": ["127.0.0.1"],
        }
    )
    mapping = MappingFile.model_validate({})
    parts = (store, publisher, desk, publisher.rules)
    made = facade(
        section, mapping, parts, lambda: everybody, SystemClock(), key=CprKey(bytes(32)), freshen=lambda *_: None
    )
    deps = Deps(
        store=store,
        publisher=publisher,
        desk=desk,
        clock=SystemClock(),
        clients=dict,
        directory=lambda: everybody,
        rulebook=rules_in_force,
        health=lambda: Health(()),
        freshen=lambda *_: None,
        metrics=lambda: b"",
    )
    look_seldom()
    leave_out()
    server(build_app(replace(deps, jobnet=made)), "127.0.0.1", port).run()


def main(arguments: Sequence[str]) -> None:
    """``URL PORT``."""
    logs.configure("error", "json")
    serve(arguments[0], int(arguments[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
