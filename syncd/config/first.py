"""A first configuration from a few answers: what `syncd init` writes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

TEMPLATES = ("jobcenter", "simple")
CONFIG, RULES, PEOPLE, ROOMS = "syncd.toml", "offers.toml", "caseworkers.csv", "rooms.csv"
ACCOUNT = "kalender"

_SERVERS = {
    "caldav": """\
# A CalDAV server; more about each kind: docs/howto/caldav.md
[calendars.kalender]
adapter = "caldav"
url = {url}
username = {username}
password = {secret}
# ca_file = "/etc/ssl/our-ca.pem"      # a certificate signed by your own authority
""",
    "ews": """\
# Exchange Server; what its administrator does once: docs/howto/exchange.md
[calendars.kalender]
adapter = "ews"
url = {url}
username = {username}
password = {secret}
# ca_file = "/etc/ssl/our-ca.pem"      # a certificate signed by your own authority

[calendars.kalender.ews]
auth = {auth}
""",
    "graph": """\
# Microsoft 365; what its administrator does once: docs/howto/microsoft365.md
[calendars.kalender]
adapter = "graph"

[calendars.kalender.graph]
tenant = {tenant}
client_id = {username}
secret = {secret}
""",
}
ADAPTERS = tuple(_SERVERS)

_CONFIG = """\
# syncd's configuration. `syncd config example` prints every key explained; `syncd check` says what works.
organisation = {organisation}
# support = "Servicedesk, tlf. 12 34 56 78"      # whom citizens and caseworkers can call
{database}rules_file = "offers.toml"                     # what can be booked; applied at start when it changed
caseworkers_file = "caseworkers.csv"             # people; syncd people import FILE.csv keeps it
rooms_file = "rooms.csv"                         # rooms; syncd rooms import FILE.csv keeps it

[http]
listen = "127.0.0.1:8080"      # the API; a reverse proxy with TLS stands in front of it

[monitor]
listen = "127.0.0.1:8081"      # /livez, /readyz, /startupz and /metrics, for this machine

[backup]
keep_days = 14                 # of the nightly backups (syncd-backup.timer)

{server}
[sites.{site_id}]
name = {site}
zone = "Europe/Copenhagen"
# reception = "Receptionen i stuen"              # where citizens report until a room is announced
"""


@dataclass(frozen=True, slots=True)
class Answers:
    """What `syncd init` asks.

    :param secret: where the password will be, as it stands in the file (a reference).
    :param person, room: mail addresses of the first caseworker and room; may be empty.
    :param tenant: of Microsoft 365.
    :param state: whether the database lies beside the configuration instead of in the state directory.
    """

    organisation: str
    adapter: str
    url: str
    username: str
    site: str
    secret: str
    person: str = ""
    person_name: str = ""
    room: str = ""
    room_name: str = ""
    tenant: str = ""
    auth: str = "ntlm"
    template: str = "simple"
    beside: bool = True


def first_files(answers: Answers) -> Mapping[str, str]:
    """The files of a first configuration, by name."""
    site = short(answers.site) or "site"
    return {
        CONFIG: _config(answers, site),
        RULES: (files("syncd.config") / "templates" / f"offers-{answers.template}.toml").read_text(encoding="utf-8"),
        PEOPLE: "id;name;address;site;floor;teams\n" + _line(answers.person, answers.person_name, site, "0;"),
        ROOMS: "id;name;address;site;floor;capacity;features;step_free\n"
        + _line(answers.room, answers.room_name, site, "0;2;;nej"),
    }


def short(text: str) -> str:
    """*text* as a short name of ours: what stands before an @, in plain small letters."""
    plain = text.partition("@")[0].lower()
    for letter, letters in (("æ", "ae"), ("ø", "oe"), ("å", "aa")):
        plain = plain.replace(letter, letters)
    return re.sub(r"[^a-z0-9._]+", "-", plain).strip("-._")[:64]


def _config(answers: Answers, site: str) -> str:
    quoted = {name: json.dumps(str(getattr(answers, name)), ensure_ascii=False) for name in _QUOTED}
    server = _SERVERS[answers.adapter].format(**quoted, secret=answers.secret)
    database = (
        'database = "sqlite:///syncd.sqlite3"         # or postgresql://USER@HOST/NAME\n' if answers.beside else ""
    )
    return _CONFIG.format(
        organisation=quoted["organisation"], site=quoted["site"], site_id=site, server=server, database=database
    )


_QUOTED = ("organisation", "site", "url", "username", "tenant", "auth")


def _line(address: str, name: str, site: str, rest: str) -> str:
    if not address:
        return ""
    told = name or address.partition("@")[0].replace(".", " ").title()
    return f"{short(address)};{told};{address};{site};{rest}\n"
