"""What only an Exchange account has in the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.config import CalendarAccount, load
from syncd.config.exchange import AutodiscoverSection
from syncd.errors import ConfigError
from tests.unit.test_config import GOOD, written

ENDPOINT = "url = 'https://mail.example.dk/EWS/Exchange.asmx'"
SEARCHED = '[calendars.main.ews.autodiscover]\nhosts = ["Mail.example.dk"]\n'


def account(folder: Path, url: str, tables: str) -> CalendarAccount:
    text = GOOD.replace('"caldav"\nurl = "https://dav.example.dk/"', f'"ews"\n{url}')
    return load(written(folder, text.replace("[sites.hq]", f"{tables}\n[sites.hq]")), {}).calendars["main"]


@pytest.mark.parametrize(
    ("url", "more", "problem"),
    [
        (ENDPOINT, "", "has either url or ews.autodiscover.hosts, not both"),
        ("", 'url = "http://mail.example.dk/a.svc"', "should begin with https:// and name a server"),
        ("", 'url = "https://other.example.dk/a.svc"', "hosts must name the host of url, 'other.example.dk'"),
        ("", "hours = 0", "hours"),
    ],
)
def test_an_endpoint_is_named_or_searched_for_and_never_without_tls(tmp_path, url, more, problem):
    with pytest.raises(ConfigError, match=problem):
        account(tmp_path, url, SEARCHED + more)


def test_hosts_to_search_are_kept_in_lower_case(tmp_path):
    assert account(tmp_path, "", SEARCHED).ews.autodiscover.hosts == ("mail.example.dk",)


def test_without_an_endpoint_and_without_hosts_nobody_is_asked(tmp_path):
    with pytest.raises(ConfigError, match=r"needs url, the endpoint: https://HOST/EWS/Exchange.asmx"):
        account(tmp_path, "", "")


@pytest.mark.parametrize("host", ["https://mail.example.dk", "*.example.dk", "mail.example.dk/x", "", "me@mail.dk"])
def test_what_is_no_host_cannot_be_searched(host):
    with pytest.raises(ValueError, match="should be the name of one host"):
        AutodiscoverSection(hosts=(host,))


def test_files_are_found_from_the_configurations_folder(tmp_path):
    keys = 'client_certificate = "client.pem"\nclient_key = "client.key"\nclient_secret = {file = "secret"}'

    ews = account(tmp_path, ENDPOINT, f"[calendars.main.ews]\n{keys}\n").ews

    assert ews.client_secret is not None
    files = (ews.client_certificate, ews.client_key, ews.client_secret.file)
    assert files == tuple(tmp_path / name for name in ("client.pem", "client.key", "secret"))
