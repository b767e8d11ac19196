"""SabreDAV 1.8 under PHP's own web server: Digest passwords, no RFC 6578; the stand-in for old servers."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.environment import not_covered, program
from tests.servers.dav import DavServer
from tests.servers.processes import answers, free_port, process

EXAMPLES = Path("/usr/share/doc/php-sabre-dav/examples")
SCRIPT = """<?php
date_default_timezone_set('America/St_Johns');
$pdo = new \\PDO('sqlite:{database}');
$pdo->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING);
ini_set('display_errors', '0');
require_once 'Sabre/autoload.php';
$principals = new \\Sabre\\DAVACL\\PrincipalBackend\\PDO($pdo);
$server = new \\Sabre\\DAV\\Server(array(
    new \\Sabre\\CalDAV\\Principal\\Collection($principals),
    new \\Sabre\\CalDAV\\CalendarRootNode($principals, new \\Sabre\\CalDAV\\Backend\\PDO($pdo)),
));
$server->setBaseUri('/');
$server->addPlugin(new \\Sabre\\DAV\\Auth\\Plugin(new \\Sabre\\DAV\\Auth\\Backend\\PDO($pdo), 'SabreDAV'));
$server->addPlugin(new \\Sabre\\DAVACL\\Plugin());
$server->addPlugin(new \\Sabre\\CalDAV\\Plugin());
$server->exec();
"""


@contextmanager
def sabredav(folder: Path) -> Iterator[DavServer]:
    """A server on loopback with the user ``syncd``; `not_covered` without Debian's packages."""
    php = program("php", "php-cli php-sqlite3 php-sabre-dav")
    if not Path("/usr/share/php/Sabre/autoload.php").exists():
        not_covered("SabreDAV is missing", "apt-get install php-sabre-dav php-sqlite3")
    database, port = folder / "sabre.sqlite", free_port()
    _fill(database)
    (folder / "server.php").write_text(SCRIPT.replace("{database}", str(database)))
    url = f"http://127.0.0.1:{port}/"
    with process([php, "-S", f"127.0.0.1:{port}", "server.php"], folder, lambda: answers(url)):
        yield DavServer(url, "/calendars/syncd/", "syncd", "secret", digest=True)


def _fill(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        for name in ("principals", "users", "calendars"):
            connection.executescript((EXAMPLES / "sql" / f"sqlite.{name}.sql").read_text())
        secret = hashlib.md5(b"syncd:SabreDAV:secret").hexdigest()
        connection.execute("INSERT INTO users (username, digesta1) VALUES ('syncd', ?)", (secret,))
        connection.execute(
            "INSERT INTO principals (uri, email, displayname) VALUES ('principals/syncd', 'syncd@syncd.test', 'syncd')"
        )
        connection.commit()
