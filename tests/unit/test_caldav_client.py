"""Failures below HTTP become sentences of ours."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from syncd.adapters.caldav.client import CaldavAccount, Client
from syncd.errors import OutcomeUnknown, Transient

URL = "https://127.0.0.1:9/dav/"


def client(ca_file: Path) -> Client:
    return Client(CaldavAccount("main", URL, "syncd", "secret", ca_file=str(ca_file)))


def test_a_missing_ca_file_is_named_whatever_was_asked(tmp_path: Path) -> None:
    made = client(tmp_path / "our-ca.pem")

    for ask in (
        lambda: made.read("PROPFIND", URL),
        lambda: made.write("PUT", URL + "a.ics", b"", {}),
        lambda: made.library(lambda dav: dav.session.request("PROPFIND", URL, verify=dav.ssl_verify_cert)),
    ):
        with pytest.raises(Transient, match="ca_file"):
            ask()


def test_a_lost_answer_stays_unknown_though_the_ca_file_went_meanwhile(tmp_path: Path) -> None:
    made = client(tmp_path / "gone.pem")

    assert isinstance(made._failure("PUT", URL, requests.ReadTimeout("late"), wrote=True), OutcomeUnknown)
    assert isinstance(made._failure("PUT", URL, OSError("broken pipe"), wrote=False), Transient)
