"""Cyrus IMAP's CalDAV, the strictest of the servers: own configuration and spool, as user cyrus, on loopback."""

from __future__ import annotations

import imaplib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.environment import not_covered, program
from tests.servers.dav import DavServer
from tests.servers.processes import answers, free_port, process

PACKAGES = "cyrus-caldav cyrus-imapd cyrus-admin sasl2-bin"
IMAPD = """configdirectory: {folder}/conf
partition-default: {folder}/spool
proc_path: {folder}/proc
mboxname_lockpath: {folder}/lock
lmtpsocket: {folder}/socket/lmtp
idlesocket: {folder}/socket/idle
notifysocket: {folder}/socket/notify
defaultpartition: default
servername: localhost
admins: admin
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {folder}/sasldb2
sasl_mech_list: PLAIN LOGIN
allowplaintext: yes
virtdomains: off
unixhierarchysep: yes
altnamespace: no
httpmodules: caldav
calendar_user_address_set: syncd.test
caldav_allowscheduling: on
httpallowcompress: no
httpprettytelemetry: no
imapidresponse: no
sync_log: no
"""
CYRUS = """START {{ recover cmd="{bin}/ctl_cyrusdb -C {conf} -r" }}
SERVICES {{
  imap cmd="{bin}/imapd -C {conf}" listen="127.0.0.1:{imap}" prefork=0
  http cmd="{bin}/httpd -C {conf}" listen="127.0.0.1:{http}" prefork=1
  lmtpunix cmd="{bin}/lmtpd -C {conf}" listen="{folder}/socket/lmtp" prefork=0
  notify cmd="{bin}/notifyd -C {conf}" listen="{folder}/socket/notify" proto="udp" prefork=1
}}
EVENTS {{ }}
"""
BIN = Path("/usr/lib/cyrus/bin")


@contextmanager
def cyrus(*others: str) -> Iterator[DavServer]:
    """A server on loopback with the user ``syncd``; `not_covered` without Debian's packages or without root.

    :param others: further users; `as_user` is how they see the server. Each has the password ``secret``, and the mail
        address NAME@syncd.test by which they invite each other (RFC 6638).

    It has a folder of its own: pytest closes its folders to other users at each start.
    """
    master, passwords = program("cyrmaster", PACKAGES), program("saslpasswd2", PACKAGES)
    if not (BIN / "httpd").exists():
        not_covered("Cyrus' CalDAV is missing", f"apt-get install {PACKAGES}")
    if os.getuid() != 0 or "cyrus" not in {entry.pw_name for entry in pwd.getpwall()}:
        not_covered("Cyrus wants to run as user cyrus", "run the tests as root")
    with TemporaryDirectory(prefix="syncd-cyrus-") as name:
        folder, imap, http = Path(name), free_port(), free_port()
        conf = _lay_out(folder, imap, http)
        for user in ("syncd", "admin", *others):
            command = [str(passwords), "-p", "-c", "-f", str(folder / "sasldb2"), "-u", "localhost", user]
            subprocess.run(command, input=b"secret\n", check=True, capture_output=True)
        _hand_over(folder)
        url = f"http://127.0.0.1:{http}/"
        command = [str(master), "-C", str(conf), "-M", str(folder / "cyrus.conf"), "-p", str(folder / "master.pid")]
        with process(command, folder, lambda: answers(url)):
            for user in ("syncd", *others):
                _create_user(imap, user)
            yield as_user(DavServer(f"{url}dav/principals/", "", "", "secret"), "syncd")


def as_user(server: DavServer, user: str) -> DavServer:
    """The same server, seen by another of its users."""
    return replace(server, home=f"/dav/calendars/user/{user}/", username=user)


def _lay_out(folder: Path, imap: int, http: int) -> Path:
    conf = folder / "imapd.conf"
    conf.write_text(IMAPD.format(folder=folder))
    (folder / "cyrus.conf").write_text(CYRUS.format(bin=BIN, conf=conf, imap=imap, http=http, folder=folder))
    for name in ("conf", "spool", "proc", "lock", "socket"):
        (folder / name).mkdir()
    return conf


def _hand_over(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, "cyrus", "mail")


def _create_user(port: int, user: str) -> None:
    with imaplib.IMAP4("127.0.0.1", port) as connection:
        connection.login("admin", "secret")
        answer, lines = connection.create(f"user/{user}")
        assert answer == "OK", lines
