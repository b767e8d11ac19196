"""Commands about webhooks: how they stand, what was given up, and secrets."""

from __future__ import annotations

import base64
import secrets
from typing import Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, parts_of
from syncd.clock import SystemClock
from syncd.errors import SyncdError
from syncd.notify.signing import PREFIX

webhooks = typer.Typer(no_args_is_help=True, help="What clients are told of by webhook, and what they did not take.")


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(webhooks, name="webhooks")


@webhooks.command("status")
def status(path: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Who listens, what is on its way and what was given up."""
    with parts_of(path) as parts, parts.store.read() as tx:
        standing = tx.events.standing()
        names = sorted(set(standing) | set(parts.receivers))
        rows = [(name, parts.receivers.get(name), *standing.get(name, (0, 0))) for name in names]
    if as_json:
        told = [
            {"client": name, "url": hook.url if hook else None, "waiting": waiting, "given_up": dead}
            for name, hook, waiting, dead in rows
        ]
        screen.print_json(told)
        return
    lines = [
        (name, hook.url if hook else "(no webhook now)", str(waiting), str(dead)) for name, hook, waiting, dead in rows
    ]
    screen.table("webhooks", ("client", "goes to", "waiting", "given up"), lines)


@webhooks.command("dead")
def dead(path: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Deliveries that were given up; try one again with `syncd webhooks retry NUMBER`."""
    with parts_of(path) as parts, parts.store.read() as tx:
        found = tx.events.buried()
    if as_json:
        screen.print_json(
            [
                {
                    "number": one.id,
                    "client": one.receiver,
                    "kind": one.kind,
                    "made": screen.iso(one.made),
                    "why": one.buried,
                }
                for one in found
            ]
        )
        return
    rows = [(str(one.id), one.receiver, one.kind, f"{one.made:%Y-%m-%d %H:%M}Z", one.buried or "") for one in found]
    screen.table(f"{len(rows)} given up", ("number", "client", "kind", "made", "why"), rows)


@webhooks.command("retry")
def retry(
    number: Annotated[int | None, typer.Argument(help="Number of the delivery; all of them if left out.")] = None,
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Try deliveries that were given up once more, from the beginning."""
    with parts_of(path) as parts, parts.store.begin() as tx:
        wanted = [number] if number is not None else [one.id for one in tx.events.buried()]
        revived = [one for one in wanted if tx.events.revive(one, SystemClock().now())]
    if number is not None and not revived:
        raise SyncdError(f"No delivery {number} was given up. Nothing was changed; see: syncd webhooks dead")
    screen.say(f"{len(revived)} will be tried again.")


@webhooks.command("secret")
def secret() -> None:
    """Print a new signing secret; keep it where `secret` of the client's webhook points, and give it to the client."""
    typer.echo(PREFIX + base64.b64encode(secrets.token_bytes(32)).decode())
