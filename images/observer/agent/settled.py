"""Whether a host has come to rest: no connection under way, no program at work."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import processes

_RESTING = {"0A", "06", "07"}
"""TCP states of /proc/net/tcp in which nothing is under way: LISTEN, TIME-WAIT, CLOSED."""


def wait_until_settled(timeout: float) -> bool:
    """Return True once the host rests, False where it does not within `timeout` seconds.

    A program that waits for something sleeps; what a tracer holds for a moment is in state
    `t`; a process that ended, and that its parent has not waited for yet, is a zombie.
    """
    return any(_rests() for _ in processes.naps(timeout))


def _rests() -> bool:
    return not _under_way() and all(
        processes.state(pid, tid) in "SITX"
        for pid in processes.running()
        for tid in processes.threads(pid)
    )


def _under_way() -> bool:
    for name in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
                if line.split()[3] not in _RESTING:
                    return True
    return False
