"""When calls had returned at the latest.

strace(1) takes its stamp of a call, writes the call down, and only then begins to measure how
long it takes. So the return that follows from both is too early, by as long as strace was held
up in between: on a busy machine, milliseconds. That the thread then made its next call bounds it
from above.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labctl.sequence.events import Call

LATE = 50_000_000
"""By how many nanoseconds a return may be stamped too early."""


@dataclass(frozen=True, slots=True)
class Stamps:
    """How far stamps are to be believed.

    `tolerance` is by how many nanoseconds any may be wrong; `latest` has when calls had returned
    at the latest.
    """

    tolerance: int
    latest: Mapping[int, int]

    def until(self, call: Call) -> int | None:
        """Return when a call was surely over; None where it never was."""
        return self.latest.get(id(call), call.end)


def latest_returns(calls: Sequence[Call], tracer: str) -> dict[int, int]:
    """Return when each call had returned at the latest, by its `id`, where it is not its `end`.

    `calls` are in the order of their start.
    """
    if tracer != "strace":
        return {}
    found: dict[int, int] = {}
    following: dict[tuple[str, int], int] = {}
    for call in reversed(calls):
        thread = call.host, call.tid
        if call.end is not None:
            latest = min(following.get(thread, call.end + LATE), call.end + LATE)
            if latest > call.end:
                found[id(call)] = latest
        following[thread] = call.start
    return found
