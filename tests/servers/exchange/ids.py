"""Opaque ids: items, folders, change keys and sync states; base64 as Exchange has it, so case matters."""

from __future__ import annotations

import base64
import binascii
import json
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from tests.servers.exchange.wire import EwsError

_ITEM = struct.Struct(">8sIQ")
_KEY = struct.Struct(">IQ")
_FOLDER = struct.Struct(">8s24s")


@dataclass(frozen=True)
class ItemKey:
    """What an ItemId names: an item of a mailbox, and perhaps one date of its series."""

    mark: bytes
    number: int
    original: datetime | None = None

    def text(self) -> str:
        """As an answer writes it."""
        moment = int(self.original.timestamp()) + 1 if self.original else 0
        return "AAMkAD" + base64.b64encode(_ITEM.pack(self.mark, self.number, moment)).decode()


def mailbox_mark(address: str) -> bytes:
    """Eight bytes that stand for a mailbox in its ids."""
    return blake2b(address.lower().encode(), digest_size=8).digest()


def item_key(text: str) -> ItemKey:
    """What an ItemId of a request names.

    :raises EwsError: ErrorInvalidIdMalformed.
    """
    try:
        if not text.startswith("AAMkAD"):
            raise ValueError(text)
        mark, number, moment = _ITEM.unpack(base64.b64decode(text[6:], validate=True))
    except (ValueError, binascii.Error, struct.error) as problem:
        raise EwsError("ErrorInvalidIdMalformed", "Id is malformed.") from problem
    return ItemKey(mark, number, datetime.fromtimestamp(moment - 1, UTC) if moment else None)


def change_key(number: int, version: int) -> str:
    """The ChangeKey of an item's version."""
    return "DwAAAB" + base64.b64encode(_KEY.pack(number, version)).decode()


def version_of(text: str) -> int:
    """The version that a ChangeKey names.

    :raises EwsError: ErrorInvalidChangeKey.
    """
    try:
        if not text.startswith("DwAAAB"):
            raise ValueError(text)
        return int(_KEY.unpack(base64.b64decode(text[6:], validate=True))[1])
    except (ValueError, binascii.Error, struct.error) as problem:
        raise EwsError("ErrorInvalidChangeKey", "The change key is invalid.") from problem


def folder_id(mark: bytes, folder: str) -> str:
    """The FolderId of a distinguished folder."""
    return "AAMkAF" + base64.b64encode(_FOLDER.pack(mark, folder.encode())).decode()


def folder_of(text: str) -> tuple[bytes, str]:
    """Mailbox mark and distinguished name of a FolderId.

    :raises EwsError: ErrorInvalidFolderId.
    """
    try:
        if not text.startswith("AAMkAF"):
            raise ValueError(text)
        mark, folder = _FOLDER.unpack(base64.b64decode(text[6:], validate=True))
        return mark, folder.rstrip(b"\0").decode()
    except (ValueError, binascii.Error, struct.error) as problem:
        raise EwsError("ErrorInvalidFolderId", "The folder id is invalid.") from problem


def seal(state: dict[str, Any]) -> str:
    """A sync state, a watermark or the like."""
    return "H4sIAA" + base64.b64encode(json.dumps(state, sort_keys=True).encode()).decode()


def unseal(text: str) -> dict[str, Any] | None:
    """What `seal` wrapped; None if it is nothing of ours."""
    if not text.startswith("H4sIAA"):
        return None
    try:
        opened = json.loads(base64.b64decode(text[6:], validate=True))
    except (ValueError, binascii.Error):
        return None
    return opened if isinstance(opened, dict) else None


def foreign_goid(uid: str) -> bytes:
    """GlobalObjectId of a UID (MS-OXCICAL 2.1.3.1.1.20.26): Exchange's own in hexadecimal, others wrapped."""
    prefix = bytes.fromhex("040000008200E00074C5B7101A82E008")
    try:
        own = bytes.fromhex(uid)
        if own.startswith(prefix):
            return own
    except ValueError:
        pass
    data = b"vCal-Uid\x01\x00\x00\x00" + uid.encode() + b"\x00"
    return prefix + bytes(4) + bytes(8) + bytes(8) + struct.pack("<I", len(data)) + data


def new_uid(seed: int, number: int) -> str:
    """A UID as Exchange makes them: its GlobalObjectId in hexadecimal."""
    own = blake2b(f"{seed}/{number}".encode(), digest_size=16).digest()
    head = bytes.fromhex("040000008200E00074C5B7101A82E008") + bytes(4) + bytes(8) + bytes(8)
    return (head + struct.pack("<I", len(own)) + own).hex().upper()
