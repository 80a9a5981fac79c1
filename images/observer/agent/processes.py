"""The processes of the host, read from /proc."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from failure import Failure

GATE = "labctl-gate"
"""A word in the command line of every process that waits at a gate, before its mark."""

_PROC = Path("/proc")
_SHORTEST_NAP = 0.002
_LONGEST_NAP = 0.05


def mounts(pid: int) -> str:
    """Return which mounts a process sees. Raises OSError of one that has ended."""
    return str((_PROC / str(pid) / "ns/mnt").readlink())


def may_look() -> bool:
    """Tell whether we may look at the processes of the host (ptrace(2), PTRACE_MODE_READ)."""
    try:
        mounts(1)
    except OSError:
        return False
    return True


def running() -> list[int]:
    """Return the numbers of the host's processes: those with its first process's mounts.

    This container's have others, and so have those of another observer beside the host. A
    zombie has none any more. Without the permission to look, none are found.
    """
    if not may_look():
        return []
    first = mounts(1)
    found = []
    for entry in _PROC.iterdir():
        if not entry.name.isdecimal():
            continue
        with suppress(OSError):  # it has ended meanwhile
            if mounts(int(entry.name)) == first:
                found.append(int(entry.name))
    return sorted(found)


def threads(pid: int) -> list[int]:
    """Return the numbers of a process's threads; of one that has ended, none."""
    with suppress(OSError):
        return sorted(int(task.name) for task in (_PROC / str(pid) / "task").iterdir())
    return []


def command_line(pid: int) -> list[str]:
    """Return a process's arguments; of a zombie or one that has ended, none."""
    with suppress(OSError):
        told = (_PROC / str(pid) / "cmdline").read_bytes()
        return [word.decode(errors="replace") for word in told.split(b"\0")[:-1]]
    return []


def state(pid: int, tid: int | None = None) -> str:
    """Return the state of a process's (or thread's) stat line (proc(5)); `X` where it is gone."""
    folder = _PROC / str(pid) if tid is None else _PROC / str(pid) / "task" / str(tid)
    try:
        return (folder / "stat").read_text(errors="replace").rpartition(") ")[2][:1] or "X"
    except OSError:
        return "X"


def snapshot() -> dict[int, str]:
    """Return the command line of each process of the host, its words joined by spaces."""
    return {pid: " ".join(command_line(pid)) for pid in running()}


def interfaces() -> dict[int, list[str]]:
    """Return the IP addresses of each network interface, by its index (ip-address(8))."""
    told = subprocess.run(["ip", "-j", "address"], capture_output=True, check=True).stdout
    return {
        link["ifindex"]: [address["local"] for address in link["addr_info"]]
        for link in json.loads(told)
        if link  # iproute2 before 6.2 tells of others as an empty object
    }


def naps(timeout: float) -> Iterator[None]:
    """Nap, each time a little longer, until `timeout` seconds are over."""
    deadline = time.monotonic() + timeout
    nap = _SHORTEST_NAP
    while time.monotonic() < deadline:
        yield
        time.sleep(nap)
        nap = min(nap * 1.5, _LONGEST_NAP)


def _gated() -> Iterator[tuple[int, str]]:
    """Yield each process that has stopped itself at a gate, with the gate's mark."""
    for pid in running():
        words = command_line(pid)
        if GATE in words[:-1] and state(pid) == "T":
            yield pid, words[words.index(GATE) + 1]


def wait_for_gate(mark: str, timeout: float) -> int:
    """Return the number of the process that has stopped itself at the gate of this mark.

    Raises Failure where none comes within `timeout` seconds.
    """
    for _ in naps(timeout):
        for pid, found in _gated():
            if found == mark:
                return pid
    raise Failure(f"nothing came to the gate within {timeout:g} seconds")


def release(pid: int) -> None:
    """Let a stopped process go on; one that has ended meanwhile needs nothing."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def end_gated(begin: str) -> None:
    """End what still waits at a gate whose mark begins so: who was to let it go on is gone."""
    for pid, mark in list(_gated()):
        if mark.startswith(begin):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
