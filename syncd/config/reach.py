"""What the configuration points to outside its own file: secrets, certificates, rules; looked at before a start."""

from __future__ import annotations

import hashlib
import os
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

from syncd.config.credentials import sealing_key, secret, secret_file
from syncd.config.load import Config
from syncd.config.sections import SecretRef
from syncd.errors import ConfigError
from syncd.model.directory import Directory
from syncd.rulebook import parse

SOURCE = "what the configuration points to"


def reachable_problems(
    config: Config,
    env: Mapping[str, str] = os.environ,
    applied: str | None = None,
    directory: Directory | None = None,
) -> list[str]:
    """Everything the configuration names that is not as it must be, one sentence each, the path in the file first.

    :param applied: digest of the rules file that is in force already (`Rules.applied_digest`). That file is not
        judged again: what was right when it was applied stays in force when somebody leaves.
    :param directory: everybody there is, with the people of groups; None for those of the file alone.
    """
    return [
        *_secret_problems(config, env),
        *_key_problems(config, env),
        *_authority_problems(config),
        *_certificate_problems(config, env),
        *config.tls.problems("tls"),
        *config.jobnet.problems("jobnet"),
        *_rules_problems(config, applied, directory or config.directory()),
    ]


def demand(
    config: Config,
    env: Mapping[str, str] = os.environ,
    applied: str | None = None,
    directory: Directory | None = None,
) -> None:
    """Go on only when everything that the configuration points to is there.

    :raises ConfigError: with everything that is not, see `reachable_problems`.
    """
    problems = reachable_problems(config, env, applied, directory)
    if problems:
        raise ConfigError(SOURCE, problems)


def _secrets(config: Config) -> Iterator[tuple[str, SecretRef]]:
    if config.database_password is not None:
        yield "database_password", config.database_password
    if config.mail.password is not None:
        yield "mail.password", config.mail.password
    if config.messages.sms is not None:
        yield "messages.sms.token", config.messages.sms.token
    for name, account in config.calendars.items():
        if account.password is not None:
            yield f"calendars.{name}.password", account.password
        if account.ews.client_secret is not None:
            yield f"calendars.{name}.ews.client_secret", account.ews.client_secret
        for key in ("passphrase", "secret"):
            ref: SecretRef | None = getattr(account.graph, key)
            if ref is not None:
                yield f"calendars.{name}.graph.{key}", ref
    for name, client in config.clients.items():
        if client.webhook is not None:
            yield f"clients.{name}.webhook.secret", client.webhook.secret
        if client.webhook is not None and client.webhook.next_secret is not None:
            yield f"clients.{name}.webhook.next_secret", client.webhook.next_secret


def _key_problems(config: Config, env: Mapping[str, str]) -> Iterator[str]:
    keys = {f"contacts.{name}": getattr(config.contacts, name) for name in ("key", "old_key")}
    for name, ref in (keys | {"jobnet.cpr_key": config.jobnet.cpr_key}).items():
        try:
            if ref is not None:
                sealing_key(ref, env)
        except ConfigError as error:
            yield from (f"{name}: {error.source} {problem}" for problem in error.problems)


def _secret_problems(config: Config, env: Mapping[str, str]) -> Iterator[str]:
    for place, ref in _secrets(config):
        try:
            secret(ref, env)
        except ConfigError as error:
            yield from (f"{place}: {error.source} {problem}" for problem in error.problems)


def _authority_problems(config: Config) -> Iterator[str]:
    for name, account in config.calendars.items():
        reason = _unusable(account.ca_file) if account.ca_file is not None else None
        if reason is not None:
            yield f"calendars.{name}.ca_file: '{account.ca_file}' {reason}"
        for key in ("client_certificate", "client_key"):
            path: Path | None = getattr(account.ews, key)
            if path is not None and not os.access(path, os.R_OK):
                yield f"calendars.{name}.ews.{key}: '{path}' cannot be read"
        for key in ("certificate", "key", "next_certificate", "next_key"):
            file: Path | None = getattr(account.graph, key)
            if file is not None and not os.access(file, os.R_OK):
                yield f"calendars.{name}.graph.{key}: '{file}' cannot be read"


def _certificate_problems(config: Config, env: Mapping[str, str]) -> Iterator[str]:
    """The function certificate and the authorities of DFDG."""
    shown, authorities = config.dfdg.certificate, config.dfdg.ca_file
    if authorities is not None and (reason := _unusable(authorities)) is not None:
        yield f"dfdg.ca_file: '{authorities}' {reason}"
    if shown is None:
        return
    try:
        ssl.create_default_context().load_cert_chain(secret_file(shown, env))
    except ConfigError as error:
        yield from (f"dfdg.certificate: {error.source} {problem}" for problem in error.problems)
    except (ssl.SSLError, OSError):
        yield "dfdg.certificate: holds no certificate with its key in PEM form"


def _unusable(path: Path) -> str | None:
    """Why no server can be known by the authorities in *path*; None when it can."""
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        return "holds no certificate in PEM form"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None


def _rules_problems(config: Config, applied: str | None, directory: Directory) -> Iterator[str]:
    path = config.rules_file
    if path is None:
        return
    try:
        text = path.read_text(encoding="utf-8-sig")
        if hashlib.sha256(text.encode()).hexdigest() != applied:
            parse(text, directory, 0, str(path))
    except OSError as error:
        yield f"rules_file: '{path}' cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        yield f"rules_file: '{path}' is not UTF-8 text (byte {error.start})"
    except ConfigError as error:
        yield from (f"{path}: {problem}" for problem in error.problems)
