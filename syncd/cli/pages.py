"""Commands about the pages in the browser."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from syncd.cli import screen
from syncd.config.passwords import SHORTEST, hashed
from syncd.errors import SyncdError
from syncd.model.role import Role

pages = typer.Typer(no_args_is_help=True, help="The pages in the browser, and who may sign in.")


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(pages, name="pages")


@pages.command("account")
def account(
    name: Annotated[str, typer.Argument(help="What is typed in to sign in.")],
    role: Annotated[list[Role], typer.Option(help="What it may do; may be repeated.")],
) -> None:
    """Print the lines of a local account for `syncd.toml`; the password is asked for and not kept."""
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    if len(password) < SHORTEST:
        raise SyncdError(f"A password has at least {SHORTEST} characters. Nothing was made; a few words do well.")
    roles = ", ".join(f'"{one.value}"' for one in role)
    screen.say("[[pages.accounts]]")
    screen.say(f"name = {json.dumps(name, ensure_ascii=False)}")
    screen.say(f'password = "{hashed(password)}"')
    screen.say(f"roles = [{roles}]")
