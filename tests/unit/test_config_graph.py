"""`[calendars.NAME.graph]`: a tenant, an application and how it proves itself; tokens travel over TLS only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from syncd.config import load
from syncd.config.reach import reachable_problems
from syncd.daemon.accounts import graph_account
from syncd.errors import ConfigError
from tests.environment import ROOT

TEXT = """
organisation = "Byhavn"
[calendars.cloud]
adapter = "graph"
[calendars.cloud.graph]
tenant = "byhavn.example"
client_id = "app-1"
certificate = "graph.pem"
next_certificate = "next.pem"
next_key = "next.key"
[sites.hq]
name = "HQ"
[[caseworkers]]
id = "anna"
name = "Anna"
address = "anna@byhavn.example"
site = "hq"
"""


def written(folder: Path, text: str = TEXT) -> Path:
    path = folder / "syncd.toml"
    path.write_text(text)
    return path


def test_a_tenant_is_reached_with_both_certificates_whose_paths_are_relative_to_the_file(tmp_path: Path):
    for name in ("graph.pem", "next.pem", "next.key"):
        (tmp_path / name).write_text(name)
    config = load(written(tmp_path), {})

    account = graph_account("cloud", config.calendars["cloud"])

    assert reachable_problems(config, {}) == []
    assert (account.tenant, account.client_id, account.most) == ("byhavn.example", "app-1", 16)
    assert [(one.certificate, one.key) for one in account.credentials] == [("graph.pem", ""), ("next.pem", "next.key")]
    assert account.graph_url == "https://graph.microsoft.com"
    assert account.login_url == "https://login.microsoftonline.com"
    assert config.calendars["cloud"].invites_rooms


def test_a_certificate_that_cannot_be_read_is_told_before_a_start(tmp_path: Path):
    config = load(written(tmp_path), {})

    problems = reachable_problems(config, {})

    assert problems[0] == f"calendars.cloud.graph.certificate: '{tmp_path}/graph.pem' cannot be read"
    assert len(problems) == 3
    with pytest.raises(ConfigError, match="cannot be read as a PEM file"):
        graph_account("cloud", config.calendars["cloud"])


@pytest.mark.parametrize(
    ("cloud", "graph", "login"),
    [
        ('cloud = "us-gov"', "https://graph.microsoft.us", "https://login.microsoftonline.us"),
        ('cloud = "china"', "https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
        ('graph_url = "https://g.example/"', "https://g.example", "https://login.microsoftonline.com"),
        ('graph_url = "http://127.0.0.1:8"\nlogin_url = "http://[::1]:9"', "http://127.0.0.1:8", "http://[::1]:9"),
    ],
)
def test_each_cloud_has_its_hosts_and_others_are_named(tmp_path: Path, cloud: str, graph: str, login: str):
    config = load(written(tmp_path, TEXT.replace('client_id = "app-1"', f'client_id = "app-1"\n{cloud}')), {})

    assert config.calendars["cloud"].graph.roots == (graph, login)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('client_id = "app-1"', ""), "calendars.cloud: a graph account needs graph.tenant"),
        (('certificate = "graph.pem"', ""), "calendars.cloud.graph: next_certificate follows certificate"),
        (("tenant =", 'graph_url = "http://graph.example"\ntenant ='), "should begin with https://"),
        (("tenant =", 'login_url = "https://login.example/common"\ntenant ='), "should be the root alone"),
        (("tenant =", 'cloud = "moon"\ntenant ='), "calendars.cloud.graph.cloud: should be 'global'"),
        (('adapter = "graph"', 'adapter = "graph"\nrooms = "write"'), "rooms in Microsoft 365 are invited"),
        (("[sites.hq]", '[entries]\ncategory = "SELVBOOK"\n[sites.hq]'), "entries.category: 'SELVBOOK' is what"),
        (("[sites.hq]", '[entries]\ncategory = "a: b"\n[sites.hq]'), "entries.category: should be a category's name"),
    ],
)
def test_each_mistake_is_named_where_it_stands(tmp_path: Path, change: tuple[str, str], told: str):
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, TEXT.replace(*change, 1)), {})

    [problem] = caught.value.problems
    assert told in problem


HYBRID = TEXT.replace('adapter = "graph"', 'adapter = "graph"\nhybrid = "house"', 1).replace(
    "[sites.hq]",
    """[calendars.house]
adapter = "ews"
url = "https://mail.byhavn.example/EWS/Exchange.asmx"
username = "svc"
password = {file = "word"}
[sites.hq]""",
)


def test_two_sides_are_one_account_that_nobody_needs_to_name(tmp_path: Path):
    for name in ("graph.pem", "next.pem", "next.key", "word"):
        (tmp_path / name).write_text("x")
    config = load(written(tmp_path, HYBRID), {})

    assert config.directory().mailboxes["anna"].account == "cloud"
    assert config.account_of(None) == "cloud"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (('hybrid = "house"', 'hybrid = "hause"'), "calendars.cloud.hybrid: no calendar called 'hause'"),
        (('adapter = "ews"', 'adapter = "caldav"'), "one account with adapter 'ews' and one with 'graph'"),
        (('username = "svc"', 'username = "svc"\nhybrid = "cloud"'), "'house' names another side, too"),
    ],
)
def test_another_side_that_cannot_be_one_is_refused(tmp_path: Path, change: tuple[str, str], problem: str):
    with pytest.raises(ConfigError, match=problem):
        load(written(tmp_path, HYBRID.replace(*change)), {})


@pytest.mark.broad
def test_nothing_of_the_cloud_is_loaded_where_no_mailbox_is_in_it():
    names = ("msal", "syncd.adapters.graph.calendar", "syncd.adapters.graph.connections")
    line = f"import sys, syncd.daemon.parts; print([name for name in {names} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True, cwd=ROOT)

    assert done.stdout.strip() == "[]"
