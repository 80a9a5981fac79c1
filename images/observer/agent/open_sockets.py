"""The sockets that the host's processes have, for who has just begun to trace them."""

from __future__ import annotations

import time
from typing import Any

import socket_reading


def open_sockets() -> dict[str, Any]:
    """Return the tables and the kernel's messages about their sockets, and when all was read.

    Nothing is borrowed, as a traced program may be at work: of a socket without address, of
    which the kernel has no message, only the name of its protocol is told.
    """
    _, told, tables = socket_reading.read()
    now = time.time_ns()
    held = {inode: (pid, fd) for pid, fd, inode in socket_reading.places(tables)}
    known = {inode for inode, _ in socket_reading.states(told)}
    names = {
        inode: {"name": name, "busy": True}
        for inode, place in held.items()
        if inode not in known and (name := socket_reading.protocol(*place)) is not None
    }
    socket_reading.drop(tables, held.keys() - known - names.keys())
    messages = socket_reading.encoded(told, held.keys())
    return {"time": now, "processes": tables, "messages": messages, "details": names}
