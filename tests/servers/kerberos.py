"""A Kerberos realm of its own: MIT's key distribution centre on loopback, with a service account and a web server."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.environment import program
from tests.servers.processes import free_port, process

REALM = "BYHAVN.TEST"
_SBIN = (Path("/usr/sbin"),)
_CLIENT = """[libdefaults]
 default_realm = {realm}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
 {realm} = {{
  kdc = 127.0.0.1:{port}
 }}
[domain_realm]
 127.0.0.1 = {realm}
"""
_SERVER = """[kdcdefaults]
 kdc_listen = ""
 kdc_tcp_listen = 127.0.0.1:{port}
[realms]
 {realm} = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
 }}
"""


@dataclass(frozen=True)
class Realm:
    """A running realm, its files in *folder*."""

    folder: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """What the programs of Kerberos must find in their environment."""
        files = {"KRB5_CONFIG": "krb5.conf", "KRB5_KDC_PROFILE": "kdc.conf"}
        stores = {"KRB5_KTNAME": "keytab", "KRB5CCNAME": "tickets"}
        return {key: str(self.folder / name) for key, name in files.items()} | {
            key: f"FILE:{self.folder / name}" for key, name in stores.items()
        }

    def run(self, *command: str | Path) -> None:
        """Run one of the programs.

        :raises subprocess.CalledProcessError: it does not work.
        """
        environment = {**os.environ, **self.environment}
        subprocess.run([*map(str, command)], check=True, env=environment, capture_output=True, timeout=30)

    def add(self, principal: str) -> None:
        """A principal with a random key, which is in the keytab."""
        admin = program("kadmin.local", "krb5-admin-server", _SBIN)
        self.run(admin, "-q", f"addprinc -randkey {principal}")
        self.run(admin, "-q", f"ktadd -k {self.folder / 'keytab'} {principal}")

    def ticket(self, principal: str) -> None:
        """Let *principal* log in by its key, as k5start does for a service."""
        self.run(program("kinit", "krb5-user"), "-k", "-t", self.folder / "keytab", principal)


@contextmanager
def realm(folder: Path, *principals: str) -> Iterator[Realm]:
    """A realm with these principals."""
    port, made = free_port(), Realm(folder)
    centre, maker = program("krb5kdc", "krb5-kdc", _SBIN), program("kdb5_util", "krb5-kdc", _SBIN)
    (folder / "krb5.conf").write_text(_CLIENT.format(realm=REALM, port=port))
    (folder / "kdc.conf").write_text(_SERVER.format(realm=REALM, port=port, folder=folder))
    made.run(maker, "create", "-s", "-P", "master", "-r", REALM)
    for principal in principals:
        made.add(principal)
    environment = {**os.environ, **made.environment}
    with process([centre, "-n"], folder, lambda: _accepts(port), environment, "kdc.log"):
        yield made


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True
