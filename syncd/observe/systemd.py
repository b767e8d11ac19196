"""Tells systemd how the service stands, by one datagram (sd_notify(3))."""

from __future__ import annotations

import os
import socket


def notify(state: str) -> bool:
    """Send ``READY=1``, ``STOPPING=1``, ``RELOADING=1``, ``WATCHDOG=1`` or ``STATUS=…``.

    :returns: False when not run by systemd with Type=notify; then nothing is sent.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    # A leading @ names a socket in the abstract namespace.
    target = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.sendto(state.encode(), target)
    return True


def watchdog_seconds() -> float | None:
    """How often systemd wants to hear from us (half of ``WATCHDOG_USEC``), or None."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 2_000_000 if microseconds.isdigit() else None
