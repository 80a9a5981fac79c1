"""One reading of a host's descriptor tables and of the kernel's sockets behind them.

Nothing is borrowed for it: what it asks delays no close.
"""

from __future__ import annotations

import base64
import os
import struct
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any

import descriptors
import sock_diag

_TRIES = 5
_INODE_AT = {"tcp": 68, "udp": 68, "unix": 4}
"""Where a message has the socket's number (inet_diag_msg, unix_diag_msg)."""
_INODE = struct.Struct("=I")
_STATE_AT = {"tcp": 1, "udp": 1, "unix": 2}

Told = dict[str, list[bytes]]
"""The kernel's messages, by the kind of socket."""
Tables = list[dict[str, Any]]
Place = tuple[int, int, int]
"""A process, one of its descriptors, and the number of the socket that it stands for."""


def read() -> tuple[set[Place], Told, Tables]:
    """Read the tables, the messages, and the tables again; return the first tables' sockets,
    and the rest.

    It is read anew while some socket is too new to be in either of the first two.
    """
    before = set(places(descriptors.tables()))
    for _ in range(_TRIES):
        told = sock_diag.dump()
        tables = descriptors.tables()
        now = set(places(tables))
        known = dict(states(told))
        if all(place in before or place[2] in known for place in now):
            break
        before = now
    return before, told, tables


def places(tables: Tables) -> Iterator[Place]:
    """Yield where each descriptor of a socket is."""
    for process in tables:
        for descriptor in process["descriptors"]:
            inode = descriptors.socket_inode(descriptor["link"])
            if inode is not None:
                yield process["pid"], descriptor["fd"], inode


def drop(tables: Tables, gone: Collection[int]) -> None:
    """Remove the descriptors of sockets of which nothing is known: they have been closed."""
    for process in tables:
        process["descriptors"] = [
            one
            for one in process["descriptors"]
            if descriptors.socket_inode(one["link"]) not in gone
        ]


def states(told: Told) -> Iterator[tuple[int, int]]:
    """Yield the number and the state of each socket that the kernel told of."""
    for kind, messages in told.items():
        for message in messages:
            yield _inode(kind, message), message[_STATE_AT[kind]]


def encoded(told: Told, inodes: Collection[int]) -> dict[str, list[str]]:
    """Return the messages about these sockets, fit for JSON."""
    return {
        kind: [
            base64.b64encode(message).decode()
            for message in messages
            if _inode(kind, message) in inodes
        ]
        for kind, messages in told.items()
    }


def protocol(pid: int, descriptor: int) -> str | None:
    """Return the kernel's name of a socket's protocol (/proc/net/protocols), None of none."""
    with suppress(OSError):
        name = os.getxattr(f"/proc/{pid}/fd/{descriptor}", "system.sockprotoname")
        return name.rstrip(b"\0").decode(errors="replace")
    return None


def _inode(kind: str, message: bytes) -> int:
    return int(_INODE.unpack_from(message, _INODE_AT[kind])[0])
