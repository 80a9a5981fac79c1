"""What the tests of the echo servers share: their names, and the processes they are made of."""

from __future__ import annotations

from pathlib import Path

FORKING = ("fork_server", "handoff_server", "prefork_server")
"""Those with subordinate processes."""
CONCURRENT = (*FORKING, "thread_server", "event_server", "asyncio_server")
ALL = (*CONCURRENT, "iterative_server")


def children(pid: int) -> dict[int, str]:
    """The processes that a process has forked, each with its state, as `S` or `Z`."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == pid:
            found[int(stat.parent.name)] = state
    return found


def alive(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
