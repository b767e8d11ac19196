"""The command that writes a first configuration: init."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import config_option
from syncd.cli.placing import place
from syncd.errors import ConfigError, SyncdError

SYSTEM = Path("/etc/syncd")
_ASKED = {
    "organisation": ("Whose citizens book here", "Eksempel Kommune"),
    "adapter": ("Calendar server: caldav, ews (Exchange Server) or graph (Microsoft 365)", "ews"),
    "url": ("Its address", ""),
    "tenant": ("Tenant (id or domain)", ""),
    "username": ("Service account (for graph: the application's id)", ""),
    "site": ("The first site", "Jobcentret"),
    "person": ("Mail address of the first caseworker (Enter: none yet)", ""),
    "room": ("Mail address of the first room (Enter: none yet)", ""),
}
_URLS = {"caldav": "https://kalender.example.dk/", "ews": "https://mail.example.dk/EWS/Exchange.asmx"}


def add_to(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command(name="init")(init)


def init(
    folder: Annotated[
        Path, typer.Option("--folder", help="Where the files are written; /etc/syncd for a service.")
    ] = Path(),
    template: Annotated[str, typer.Option("--template", help="Offers to begin with: jobcenter or simple.")] = "simple",
    organisation: Annotated[str | None, typer.Option(help="Whose citizens book here.")] = None,
    adapter: Annotated[str | None, typer.Option(help="caldav, ews or graph.")] = None,
    url: Annotated[str | None, typer.Option(help="Address of the calendar server.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Of Microsoft 365.")] = None,
    username: Annotated[str | None, typer.Option(help="Service account, or the application's id.")] = None,
    auth: Annotated[str, typer.Option(help="How to sign in to Exchange: ntlm, basic, kerberos or oauth.")] = "ntlm",
    site: Annotated[str | None, typer.Option(help="Name of the first site.")] = None,
    person: Annotated[str | None, typer.Option(help="Mail address of the first caseworker.")] = None,
    room: Annotated[str | None, typer.Option(help="Mail address of the first room.")] = None,
) -> None:
    """Ask a few questions and write a commented configuration; files that are there already are left alone."""
    from syncd.config.first import ADAPTERS, TEMPLATES, Answers, first_files

    _one_of("--template", template, TEMPLATES)
    given = {"organisation": organisation, "adapter": adapter, "url": url, "tenant": tenant, "username": username}
    answers = _asked(given | {"site": site, "person": person, "room": room}, ADAPTERS)
    system = folder.resolve() == SYSTEM
    secret = '{credential = "kalender"}' if system else '{file = "secrets/kalender"}'
    whole = Answers(secret=secret, template=template, auth=auth, beside=not system, **answers)
    texts = first_files(whole)
    _refuse_to_overwrite(folder, texts)
    _try_out(texts)
    for name, text in texts.items():
        place(folder / name, text)
        screen.say(f"written: {folder / name}")
    _tell_next(folder, system, answers["adapter"])


def _asked(given: dict[str, str | None], adapters: tuple[str, ...]) -> dict[str, str]:
    """Every answer: those given as options, the others asked for where somebody is there to answer."""
    found: dict[str, str] = {}
    for key, (question, default) in _ASKED.items():
        answer = given[key]
        if answer is None and key == {"graph": "url"}.get(found.get("adapter", ""), "tenant"):
            answer = ""  # only Microsoft 365 has a tenant, and it needs no address
        shown = _URLS.get(found["adapter"], default) if key == "url" else default
        found[key] = _ask(key, question, shown) if answer is None else answer
        if key == "adapter":
            _one_of("the calendar server", found[key], adapters)
    return found


def _ask(key: str, question: str, default: str) -> str:
    if not sys.stdin.isatty() and not sys.stdin.readable():
        raise SyncdError(f"Nobody is there to answer; give --{key}. Nothing was written.")
    needed = key not in ("person", "room")
    text: str = typer.prompt(
        question, default=default or (None if needed else ""), show_default=bool(default), err=True
    )
    return text.strip()


def _one_of(what: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise SyncdError(f"{what}: {given!r} is not one of {', '.join(known)}. Nothing was written.")


def _refuse_to_overwrite(folder: Path, names: Iterable[str]) -> None:
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise SyncdError(f"{folder} has {', '.join(there)} already; nothing was written. Choose another --folder.")


def _try_out(texts: Mapping[str, str]) -> None:
    """Load what would be written, so that a wrong answer is told now and nothing is left half done.

    :raises SyncdError: an answer cannot be used.
    """
    from syncd.config import load

    with tempfile.TemporaryDirectory() as trial:
        for name, text in texts.items():
            (Path(trial) / name).write_text(text, encoding="utf-8")
        try:
            load(Path(trial) / "syncd.toml")
        except ConfigError as error:
            told = "\n".join(f"  - {problem}" for problem in error.problems)
            raise SyncdError(f"These answers cannot be used; nothing was written.\n{told}") from None


def _tell_next(folder: Path, system: bool, adapter: str) -> None:
    config = "" if system else config_option(folder / "syncd.toml")
    secret = SYSTEM / "credentials" / "kalender" if system else folder / "secrets" / "kalender"
    word = "secret of the application" if adapter == "graph" else "password of the service account"
    steps = (
        (
            f"the {word}; type it, then Enter and Ctrl-D",
            f"install -D -m 0600 /dev/stdin {shlex.quote(str(secret))}",
        ),
        ("everybody else, or --group ADDRESS", f"syncd people import FILE.csv{config}"),
        ("see what works, and what to do", f"syncd check{config}"),
        ("a token for the portal", "syncd client new portal"),
        ("start it", "systemctl start syncd" if system else f"syncd run{config}"),
    )
    screen.say("\nWhat comes next:")
    for number, (what, command) in enumerate(steps, 1):
        screen.say(f"{number}  {what}")
        screen.say(f"     {command}")
