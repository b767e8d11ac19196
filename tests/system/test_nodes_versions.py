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

NEWER, NEWEST = "9.9.9", "10.0.0"
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
CONTRACTS = '''"""Nobody asks for moods any more since 9999."""

from alembic import op

revision = "99999"
down_revision = "9999"
branch_labels = None
depends_on = None
contracts = "9999"


def upgrade() -> None:
    op.drop_column("meetings", "mood")
    op.drop_table("moods")
'''


def version(folder: Path, number: str, **migrations: str) -> Path:
    """A copy of syncd that is a release ahead, with these migrations by the names of their modules."""
    shutil.copytree(ROOT / "syncd", folder / "syncd", ignore=shutil.ignore_patterns("__pycache__"))
    for name, said in migrations.items():
        (folder / "syncd" / "store" / "migrations" / "versions" / f"{name}.py").write_text(said)
    (folder / "syncd" / "__init__.py").write_text(f'"""syncd, newer."""\n\n__version__ = "{number}"\n')
    return folder


def newer_version(folder: Path) -> Path:
    """One release ahead: its layout has something more."""
    from syncd.store.schema import head

    return version(folder, NEWER, r9999_moods=EXPANDS.format(head=head()))


def newest_version(folder: Path) -> Path:
    """Two releases ahead: its layout has lost what the release between made needless."""
    from syncd.store.schema import head

    return version(folder, NEWEST, r9999_moods=EXPANDS.format(head=head()), r99999_no_moods=CONTRACTS)


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


def test_what_a_layout_loses_waits_until_the_last_node_that_needs_it_is_gone(tmp_path: Path, postgres_url: str) -> None:
    between, last = newer_version(tmp_path / "newer"), newest_version(tmp_path / "newest")

    def layout() -> object:
        return nodes.ask("SELECT version_num FROM alembic_version")[0][0]

    with KINDS["graph"](tmp_path) as server:
        for owner in ("anna", "lokale-1"):
            server.make_calendar(owner)
        nodes = Nodes(tmp_path, server, postgres_url)
        rolled, other, newest = nodes.add(), ahead(nodes.add(), between), ahead(nodes.add(), last)
        try:
            rolled.start()
            first = rolled.book()
            other.start()
            newest.start(ready=False)
            assert newest.child is not None
            refused = newest.child.wait(timeout=120)
            kept = layout()
            still = rolled.get(f"/bookings/{first['id']}").status_code

            rolled.stop()
            ahead(rolled, between).start()  # it rolls on to the release between
            newest.start()
            second = newest.slots()[20]["start"]
            hold = other.post("/holds", {"offer": "samtale", "start": second, "form": "phone", "caseworker": "anna"})
            booked = newest.post("/bookings", {"hold": hold.json()["id"], "citizen": {"reference": "borger-2"}})
            assert 201 == booked.status_code, booked.text
            both = (first["id"], booked.json()["id"])

            def confirmed() -> bool:
                return {node.state(name) for node in nodes.all for name in both} == {"confirmed"}

            wait_for(confirmed, "confirmation")
            assert 0 != refused
            assert "need what this version takes away" in newest.log
            assert ("9999", 200) == (kept, still)
            assert "99999" == layout()
            assert 2 == len(server.texts("anna"))
        finally:
            nodes.end()
