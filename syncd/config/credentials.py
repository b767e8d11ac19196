"""Secrets are kept elsewhere: this reads them where the configuration points; tokens of clients are only hashes."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from syncd.config.clients import ClientSection
from syncd.config.sections import SecretRef, short_name
from syncd.errors import ConfigError


def secret(ref: SecretRef, env: Mapping[str, str] = os.environ) -> str:
    """The secret *ref* points to, without a trailing line end.

    :raises ConfigError: it is not there, or empty; the text names the place, never the content.
    """
    if ref.env is not None:
        value = env.get(ref.env, "")
        place = f"environment variable {ref.env}"
    elif ref.credential is not None:
        place = f"credential '{ref.credential}'"
        value = _content(_credential(ref.credential, env), place)
    else:
        place = f"file {ref.file}"
        value = _content(Path(ref.file or ""), place)
    if not value:
        raise ConfigError(place, ["is empty or not set; the secret is expected there"])
    return value


def secret_file(ref: SecretRef, env: Mapping[str, str] = os.environ) -> Path:
    """The file that *ref* points to, for secrets that libraries read themselves.

    :raises ConfigError: it is not a file or a credential, or is not there.
    """
    if ref.file is not None:
        path, place = ref.file, f"file {ref.file}"
    else:
        path, place = _credential(ref.credential or "", env), f"credential '{ref.credential}'"
    if not os.access(path, os.R_OK):
        raise ConfigError(place, ["cannot be read; the certificate and its key are expected there, in PEM form"])
    return path


def sealing_key(ref: SecretRef, env: Mapping[str, str] = os.environ) -> bytes:
    """The key that *ref* points to: 32 bytes, written as 64 hexadecimal digits.

    :raises ConfigError: it is not there, or is something else.
    """
    try:
        key = bytes.fromhex(secret(ref, env).strip())
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ConfigError("the key", ["should be 64 hexadecimal digits, as `openssl rand -hex 32` prints them"])
    return key


def _credential(name: str, env: Mapping[str, str]) -> Path:
    """Where systemd put the credential *name*: given by itself, or as a file of one of the unit's two folders.

    A file NAME of a folder that is loaded as ID is the credential ID_NAME (systemd.exec(5), LoadCredential=).
    """
    base = Path(env.get("CREDENTIALS_DIRECTORY", "/run/credentials/syncd.service"))
    given = [base / f"{folder}{name}" for folder in ("", "plain_", "sealed_")]
    return next((path for path in given if path.exists()), given[0])


def _content(path: Path, place: str) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ConfigError(place, ["is not UTF-8 text"]) from None
    except OSError as error:
        raise ConfigError(place, [f"cannot be read: {error.strerror}; {_cure(error, path, place)}"]) from None


def _cure(error: OSError, path: Path, place: str) -> str:
    """How a secret comes to where it is looked for."""
    if not isinstance(error, FileNotFoundError):
        return f"let the user that syncd runs as read {path}"
    if place.endswith(str(path)):
        return f"put it there with: install -D -m 0600 /dev/stdin {path}  (then the secret, Enter, Ctrl-D)"
    return (
        f"systemd gives it to the service alone, and not to a shell (looked for as {path}). It comes from a file of "
        "that name in /etc/syncd/credentials; systemd/README tells how to check as the service would, with systemd-run"
    )


def token_digest(token: str) -> str:
    """What is kept of a client's token. A plain hash is enough: tokens carry 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_client(name: str) -> tuple[str, str]:
    """A fresh token, to be given to the client once, and the lines for `syncd.toml`.

    :raises ConfigError: *name* cannot be the name of a client (`short_name`).
    """
    try:
        key = short_name(name)
    except ValueError as error:
        raise ConfigError(f"client '{name}'", [f"the name {error}"]) from None
    token = f"syncd_{secrets.token_urlsafe(32)}"
    if "." in key:  # in TOML a bare dot would begin a table inside a table
        key = f'"{key}"'
    return token, f'[clients.{key}]\ntoken_sha256 = "{token_digest(token)}"\n'


def client_of(clients: Mapping[str, ClientSection], token: str) -> str | None:
    """The client this token belongs to, or None; takes the same time whichever it is."""
    given = token_digest(token)
    found: str | None = None
    for name, client in clients.items():
        for digest in client.token_sha256:
            if hmac.compare_digest(digest, given):
                found = name
    return found
