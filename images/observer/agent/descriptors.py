"""The descriptor tables of the host's processes, read from /proc (proc(5))."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import processes

_PROC = Path("/proc")
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_LONGEST_PASSWD = 1 << 18


def tables() -> list[dict[str, Any]]:
    """Return each process of the host with its descriptors; one that ends meanwhile is not."""
    found = []
    users = _users()
    for pid in _of_host():
        with suppress(OSError):
            found.append(_process(pid, users))
    return found


def socket_inode(link: str) -> int | None:
    """Return the number of the socket that a link of /proc/PID/fd names, None of others."""
    named = _SOCKET.fullmatch(link)
    return int(named[1]) if named else None


def _of_host() -> list[int]:
    """Return the numbers of the host's processes; a zombie is the host's where its parent is."""
    found = set(processes.running())
    others = {int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal()} - found
    zombies = {pid for pid in others if processes.state(pid) == "Z" and _parent(pid) in found}
    return sorted(found | zombies)


def _parent(pid: int) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        stat_line = (_PROC / str(pid) / "stat").read_text(errors="replace")
        return int(stat_line.rpartition(") ")[2].split()[1])
    return None


def _process(pid: int, users: dict[str, str]) -> dict[str, Any]:
    folder = _PROC / str(pid)
    status = dict(
        line.split(":\t", 1)
        for line in (folder / "status").read_text(errors="replace").splitlines()
        if ":\t" in line
    )
    uid = status["Uid"].split()[1]  # the effective one
    return {
        "pid": pid,
        "parent": int(status["PPid"]),
        "name": status["Name"],
        "state": status["State"][:1],
        "user": users.get(uid, uid),
        "command": processes.command_line(pid),
        "descriptors": list(_descriptors(folder)),
    }


def _descriptors(folder: Path) -> Iterator[dict[str, Any]]:
    for number in sorted(int(entry.name) for entry in (folder / "fd").iterdir()):
        with suppress(OSError):  # it has been closed meanwhile
            link = os.readlink(folder / "fd" / str(number))  # noqa: PTH115  a Path drops slashes
            info = (folder / "fdinfo" / str(number)).read_text(errors="replace")
            yield {"fd": number, "link": link, "info": info}


def _users() -> dict[str, str]:
    """Return the names that the host itself gives its users (passwd(5)), by their numbers.

    The file is the host's: it may be anything, and reading must not block.
    """
    with suppress(OSError):
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW
        descriptor = os.open(_PROC / "1/root/etc/passwd", flags)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return {}
            lines = file.read(_LONGEST_PASSWD).decode(errors="replace").splitlines()
        entries = [line.split(":") for line in lines]
        return {entry[2]: entry[0] for entry in entries if len(entry) > 2}
    return {}
