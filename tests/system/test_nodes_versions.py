"""A rolling upgrade: nodes of two versions serve side by side while the database has the newer one's layout."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.environment import ROOT
from tests.system.calendars import KINDS
from tests.system.nodes import Nodes
from tests.system.service import Service, wait_for

pytestmark = [pytest.mark.programme, pytest.mark.timeout(400)]

NEWER = "9.9.9"
EXPANDS = '''"""Know the mood of meetings."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("meetings", sa.Column("mood", sa.Text(), nullable=False, server_default="good"))
    op.create_table("moods", sa.Column("name", sa.Text(), nullable=False))
'''


def newer_version(folder: Path) -> Path:
    """A copy of syncd that is one release and one migration ahead."""
    from syncd.store.schema import head

    shutil.copytree(ROOT / "syncd", folder / "syncd", ignore=shutil.ignore_patterns("__pycache__"))
    package = folder / "syncd"
    said = EXPANDS.format(head=head())
    (package / "store" / "migrations" / "versions" / "r9999_moods.py").write_text(said)
    (package / "__init__.py").write_text(f'"""syncd, newer."""\n\n__version__ = "{NEWER}"\n')
    return folder


def ahead(node: Service, code: Path) -> Service:
    node.environment = {"PYTHONPATH": str(code)}
    return node


def test_old_and_new_nodes_serve_side_by_side_and_an_old_one_may_even_start_again(
    tmp_path: Path, postgres_url: str
) -> None:
    code = newer_version(tmp_path / "newer")
    with KINDS["graph"](tmp_path) as server:
        for owner in ("anna", "lokale-1"):
            server.make_calendar(owner)
        nodes = Nodes(tmp_path, server, postgres_url)
        old, new = nodes.add(), ahead(nodes.add(), code)
        try:
            old.start()
            first = old.book()
            new.start()  # upgrades the database under the old one
            second = new.slots()[20]["start"]
            hold = old.post("/holds", {"offer": "samtale", "start": second, "form": "phone", "caseworker": "anna"})
            booked = new.post("/bookings", {"hold": hold.json()["id"], "citizen": {"reference": "borger-2"}})
            assert 201 == booked.status_code, booked.text
            both = (first["id"], booked.json()["id"])

            def confirmed() -> bool:
                return {node.state(name) for node in (old, new) for name in both} == {"confirmed"}

            wait_for(confirmed, "confirmation")
            versions = {row[0] for row in nodes.ask("SELECT version FROM nodes")}
            old.kill()
            old.start()  # the older version, on the newer layout

            assert 2 == len(versions), versions
            assert NEWER in versions
            assert [("9999",)] == nodes.ask("SELECT version_num FROM alembic_version")
            assert 2 == len(old.slots() and server.texts("anna"))
        finally:
            nodes.end()
