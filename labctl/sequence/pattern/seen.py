"""What a pattern is matched against: the parts of a timeline that matching needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from labctl.sequence.connection import Connection, Socket
from labctl.sequence.events import Call
from labctl.sequence.recording import Recording


class Seen(Protocol):
    """A `labctl.sequence.timeline.Timeline` is one."""

    @property
    def recording(self) -> Recording: ...
    @property
    def calls(self) -> Sequence[Call]: ...
    @property
    def sockets(self) -> Sequence[Socket]: ...
    @property
    def connections(self) -> Sequence[Connection]: ...
    @property
    def moments(self) -> Sequence[Any]: ...
    def order(self, first: Any, second: Any, /) -> Any: ...


def start(seen: Seen) -> int:
    """Return the time of the first event, in nanoseconds since the epoch; 0 without any."""
    return seen.recording.start
