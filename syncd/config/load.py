"""`syncd.toml` becomes one checked value, or a complete list of what is wrong with it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import AfterValidator, Field, ValidationError

from syncd.config.accounts import CalendarAccount
from syncd.config.agreement import disagreements
from syncd.config.anchoring import anchored_account, anchored_ref, anchored_section
from syncd.config.booking_page import BookingPageSection
from syncd.config.certificates import TlsSection
from syncd.config.checks import cross_problems
from syncd.config.clients import ClientSection
from syncd.config.credentials import secret
from syncd.config.dfdg import DfdgSection
from syncd.config.entries import EntriesSection, MarksSection
from syncd.config.groups import GroupSection
from syncd.config.hybrid import other_sides
from syncd.config.jobnet import JobnetSection
from syncd.config.mail import MailSection
from syncd.config.messages import MessagesSection
from syncd.config.notices import NoticesSection
from syncd.config.oauth import OAuthSection
from syncd.config.openings import weekly_hours
from syncd.config.operating import BackupSection, MonitorSection
from syncd.config.pages import PagesSection
from syncd.config.people import Row, read_rows
from syncd.config.places import STATE, database_place, state_folder, usable_url
from syncd.config.privacy import ContactsSection, RetentionSection
from syncd.config.roll import enrolled, words_of
from syncd.config.sections import (
    CaseworkerSection,
    HttpSection,
    Id,
    LogSection,
    RoomSection,
    SecretRef,
    SiteSection,
    SyncSection,
)
from syncd.config.supply import SupplySection
from syncd.errors import ConfigError
from syncd.model.directory import (
    Caseworker,
    Directory,
    Mailbox,
    MailboxKind,
    Room,
    Site,
)
from syncd.model.enrolment import Enrolled
from syncd.section import Location, Section, complaints, path_of


class Config(Section):
    """The whole of `syncd.toml`: infrastructure only; what may be booked is in the rules (`syncd offers`)."""

    organisation: Annotated[
        str,
        Field(
            min_length=1,
            description="Whose citizens book here.",
            examples=["Eksempel Kommune"],
        ),
    ]
    support: Annotated[
        str,
        Field(
            description="Whom citizens and caseworkers can call.",
            examples=["Servicedesk, tlf. 12 34 56 78"],
        ),
    ] = ""
    language: Annotated[
        Literal["da", "en"], Field(description="Of what is written into calendars for caseworkers.")
    ] = "da"
    database: Annotated[
        str,
        AfterValidator(usable_url),
        Field(
            description=f"sqlite:///FILE or postgresql://USER@HOST/NAME; empty: syncd.sqlite3 in {STATE}.",
            examples=["sqlite:////var/lib/syncd/syncd.sqlite3"],
        ),
    ] = ""
    database_password: Annotated[
        SecretRef | None,
        Field(
            description="Where PostgreSQL's password is kept, if it needs one.", examples=[{"credential": "database"}]
        ),
    ] = None
    rules_file: Annotated[
        Path | None,
        Field(
            description="Offers and hours, applied at start when it changed.",
            examples=["offers.toml"],
        ),
    ] = None
    caseworkers_file: Annotated[
        Path | None,
        Field(
            description="CSV with the columns of [[caseworkers]].",
            examples=["caseworkers.csv"],
        ),
    ] = None
    rooms_file: Annotated[
        Path | None,
        Field(description="CSV with the columns of [[rooms]].", examples=["rooms.csv"]),
    ] = None
    http: HttpSection = HttpSection()
    monitor: MonitorSection = MonitorSection()
    notices: NoticesSection = NoticesSection()
    backup: BackupSection = BackupSection()
    sync: SyncSection = SyncSection()
    log: LogSection = LogSection()
    retention: RetentionSection = RetentionSection()
    contacts: ContactsSection = ContactsSection()
    marks: MarksSection = MarksSection(features={})
    entries: EntriesSection = EntriesSection()
    oauth: OAuthSection = OAuthSection()
    tls: TlsSection = TlsSection()
    jobnet: JobnetSection = JobnetSection(jobcentres={}, caseworkers={})
    pages: PagesSection = PagesSection()
    booking_page: BookingPageSection = BookingPageSection()
    dfdg: DfdgSection = DfdgSection()
    supply: SupplySection = SupplySection(targets={})
    mail: MailSection = MailSection()
    messages: MessagesSection = MessagesSection()
    calendars: Annotated[
        dict[Id, CalendarAccount],
        Field(min_length=1, description="Calendar servers by name."),
    ]
    sites: Annotated[dict[Id, SiteSection], Field(min_length=1, description="Places by name.")]
    caseworkers: Annotated[tuple[CaseworkerSection, ...], Field(description="People whose time is booked.")] = ()
    rooms: Annotated[tuple[RoomSection, ...], Field(description="Rooms that meetings may get.")] = ()
    groups: Annotated[
        tuple[GroupSection, ...], Field(description="Distribution groups whose members are caseworkers.")
    ] = ()
    clients: Annotated[
        dict[Id, ClientSection],
        Field(default_factory=dict, description="Programs that may use the API, by name."),
    ]

    def database_url(self, env: Mapping[str, str] = os.environ) -> str:
        """The SQLAlchemy URL, with the password put in; keep it out of logs.

        :raises ConfigError: the password cannot be read.
        """
        if self.database_password is None:
            return self.database
        parts = urlsplit(self.database)
        user = quote(secret(self.database_password, env), safe="")
        return urlunsplit(
            parts._replace(netloc=f"{parts.username or 'syncd'}:{user}@{parts.netloc.rpartition('@')[2]}")
        )

    @property
    def ledger(self) -> Path:
        """Where the digests of those erased are kept; the database's folder unless the file says otherwise."""
        return self.retention.ledger or self._home / "erased.ledger"

    @property
    def backups(self) -> Path:
        """The folder in which backups are kept."""
        return self.backup.folder or self._home / "backups"

    @property
    def _home(self) -> Path:
        """Where our files are: beside the database, if it is one, else in the state directory."""
        scheme, _, file = self.database.partition(":///")
        return Path(file).parent if scheme.startswith("sqlite") else Path(state_folder(os.environ))

    def directory(self, members: Iterable[Enrolled] = ()) -> Directory:
        """Everybody and everything as the rest of syncd knows them.

        :param members: the people of the groups, as `syncd.store.members.Members.serving` has them.
        """
        sites = {
            name: Site(name, site.name, site.zone, site.reception, site.room_rules())
            for name, site in self.sites.items()
        }
        people = {person.id: self._caseworker(person) for person in self.caseworkers}
        people |= enrolled(self.groups, members, sites, self.account_of(None), list(people.values()))
        rooms = {room.id: self._room(room) for room in self.rooms}
        return Directory.of(
            self.organisation,
            sites,
            people,
            rooms,
            self.support,
            self.language,
            self.entries.case_url,
            words_of(self.groups),
            self.entries.category,
        )

    def account_of(self, named: str | None) -> str:
        """The account that somebody names, or the only one that need not be named."""
        others = other_sides(self.calendars)
        return named if named is not None else next(name for name in self.calendars if name not in others)

    def _caseworker(self, person: CaseworkerSection) -> Caseworker:
        zone = person.zone or self.sites[person.site].zone
        account, address = self.account_of(person.account), person.address.lower()
        box = Mailbox(person.id, MailboxKind.PERSON, account, address, zone, person.url)
        return Caseworker(
            id=person.id,
            name=person.name,
            mailbox=box,
            site=person.site,
            floor=person.floor,
            teams=person.teams,
            competences=person.competences,
            video=person.video,
            open_plan=person.open_plan,
        )

    def _room(self, room: RoomSection) -> Room:
        zone = self.sites[room.site].zone
        account = self.account_of(room.account)
        box = Mailbox(
            room.id,
            MailboxKind.ROOM,
            account,
            room.address.lower(),
            zone,
            room.url,
            invited=self.calendars[account].invites_rooms,
        )
        return Room(
            id=room.id,
            name=room.name,
            mailbox=box,
            site=room.site,
            floor=room.floor,
            capacity=room.capacity,
            features=room.features,
            step_free=room.step_free,
            turnover=room.turnover,
            opens=room.opens,
            closes=room.closes,
            preferred_by=room.preferred_by,
            hours=weekly_hours(room.hours),
        )


def load(path: Path, env: Mapping[str, str] = os.environ) -> Config:
    """Read and check the configuration file; relative paths in it are relative to the file.

    :raises ConfigError: with all problems at once, each with its path and a hint.
    """
    if not path.exists():
        hint = "name yours with --config or SYNCD_CONFIG; a first one: syncd init"
        raise ConfigError(str(path), [f"cannot be read: No such file or directory; {hint}"])
    raw = read_toml(path)
    rows: dict[str, list[Row]] = {}
    problems: list[str] = []
    for name in ("caseworkers", "rooms"):
        try:
            rows[name] = _file_rows(raw, name, path.parent)
        except ValueError as error:
            problems.append(f"{name}_file: {error}")
    place = _placing(raw, rows)
    joined = raw | {name: [*_inline(raw, name), *(dict(row.values) for row in rows[name])] for name in rows}
    try:
        config = Config.model_validate(joined)
    except ValidationError as error:
        problems += complaints(error, Config, place)
    else:
        problems += [f"the file: {one}" for one in disagreements(config)]
    problems += cross_problems(joined, place) + _missing_files(raw, path.parent)
    if problems:
        raise ConfigError(str(path), problems)
    return _anchored(config, path.parent.resolve(), env)


def read_toml(path: Path) -> dict[str, object]:
    """The tables of a TOML file.

    :raises ConfigError: it is not there, not UTF-8 or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(str(path), [f"cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), [f"is not UTF-8 text (byte {error.start})"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), [f"is not TOML: {error}"]) from None
    except ValueError:
        raise ConfigError(str(path), ["has a number of thousands of digits"]) from None
    except RecursionError:
        raise ConfigError(str(path), ["is nested too deeply"]) from None


def _inline(raw: Mapping[str, object], name: str) -> list[object]:
    listed = raw.get(name, [])
    return list(listed) if isinstance(listed, list) else [listed]


def _file_rows(raw: Mapping[str, object], name: str, base: Path) -> list[Row]:
    written = raw.get(f"{name}_file")
    return read_rows(base / written, written) if isinstance(written, str) and written else []


def _placing(raw: Mapping[str, object], rows: Mapping[str, list[Row]]) -> Callable[[Location], str]:
    """Names a location by its path in the file, or by the line of the CSV file it came from."""

    def place(location: Location) -> str:
        if len(location) >= 2 and isinstance(location[1], int) and location[0] in rows:
            name, offset = (
                str(location[0]),
                location[1] - len(_inline(raw, str(location[0]))),
            )
            if offset >= 0:
                row = rows[name][offset]
                rest = path_of(location[2:])
                return f"{row.file} line {row.line}" + (f", {rest}" if rest else "")
        return path_of(location) or "the file"

    return place


def _missing_files(raw: Mapping[str, object], base: Path) -> list[str]:
    written = raw.get("rules_file")
    if isinstance(written, str) and not (base / written).is_file():
        return [f"rules_file: there is no file '{written}' ({base / written})"]
    return []


def _anchored(config: Config, base: Path, env: Mapping[str, str]) -> Config:
    """The same configuration with absolute paths and the database's default filled in."""
    files = {
        name: base / file
        for name in ("rules_file", "caseworkers_file", "rooms_file")
        if (file := getattr(config, name))
    }
    groups = tuple(
        group.model_copy(update={"file": base / group.file}) if group.file else group for group in config.groups
    )
    accounts = {name: anchored_account(account, base) for name, account in config.calendars.items()}
    password = anchored_ref(config.database_password, base)
    contacts = {name: anchored_ref(getattr(config.contacts, name), base) for name in ("key", "old_key")}
    ledger, folder = config.retention.ledger, config.backup.folder
    return config.model_copy(
        update=files
        | {
            "database": database_place(config.database, base, env),
            "calendars": accounts,
            "groups": groups,
            "database_password": password,
            "contacts": config.contacts.model_copy(update=contacts),
            "jobnet": config.jobnet.anchored(base),
            "pages": config.pages.anchored(base),
            "oauth": config.oauth.anchored(base),
            "tls": config.tls.placed(base),
            "dfdg": config.dfdg.anchored(base),
            "supply": config.supply.anchored(base),
            "mail": anchored_section(config.mail, base),
            "messages": anchored_section(config.messages, base),
            "retention": config.retention.model_copy(update={"ledger": base / ledger if ledger else None}),
            "backup": config.backup.model_copy(update={"folder": base / folder if folder else None}),
        }
    )
