"""What `test_ews_kerberos` runs where gssapi is installed: one line of JSON tells what happened.

``python -m tests.system.kerberos_inside FOLDER``, with the environment of a realm.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import closing
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from syncd.adapters.ews.account import EwsAccount
from syncd.adapters.ews.calendar import EwsCalendar
from syncd.errors import CalendarError
from tests.contract.calendar_contract import at, draft
from tests.integration.test_ews_traps import box
from tests.servers.exchange import ExchangeServer
from tests.servers.exchange.tls import certificates


def works(account: EwsAccount) -> dict[str, Any]:
    """Write, find and delete, and hear of it; the error of ours where that does not work."""
    with closing(EwsCalendar(account)) as port:
        try:
            port.heard([box()])
            entry = port.create(box(), draft("kerberos@syncd.test", at(9)))
            found = port.find(box(), "kerberos@syncd.test") == (entry,)
            port.delete(box(), entry)
        except CalendarError as error:
            return {"error": f"{type(error).__name__}: {error}"}
        until = time.monotonic() + 10
        while not (heard := bool(port.heard([box()]))) and time.monotonic() < until:
            time.sleep(0.05)
        return {"found": found, "heard": heard}


def unbound() -> None:
    """What exchangelib builds by itself: a ticket bound to no channel."""
    gssapi = import_module("requests_gssapi")
    transport = import_module("exchangelib.transport")
    transport.AUTH_TYPE_MAP[transport.GSSAPI] = lambda **_: gssapi.HTTPSPNEGOAuth()


def main(folder: Path) -> None:
    """Plain and over TLS, then without what it takes."""
    said: dict[str, Any] = {}
    for tls in (None, certificates(folder, "nobody")):
        with ExchangeServer(tls=tls) as server:
            server.door.schemes, server.door.tickets = ("Negotiate",), True
            server.account("svc-syncd", "unused", impersonates=True)
            server.mailbox("anna@syncd.test")
            authority = str(tls.authority) if tls else None
            account = EwsAccount("main", server.url, "kerberos", ca_file=authority, timeout=5.0)
            said["tls" if tls else "plain"] = works(account)
            if tls is None:
                tickets = os.environ["KRB5CCNAME"]
                os.environ["KRB5CCNAME"] = f"FILE:{folder / 'none'}"
                said["no ticket"] = works(replace(account, streaming=False))
                os.environ["KRB5CCNAME"] = tickets
            else:
                unbound()
                said["unbound"] = works(replace(account, streaming=False))
    print(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
