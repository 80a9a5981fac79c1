"""One timeline of all hosts: events merged by time and by cause, and judged by patterns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

from labctl.sequence.assembled import Assembled, assemble
from labctl.sequence.causes import causes
from labctl.sequence.collecting import no_collection
from labctl.sequence.connection import Connection, Socket
from labctl.sequence.events import Call
from labctl.sequence.moments import Moment, Order, moments_of
from labctl.sequence.ordering import Ordering
from labctl.sequence.pattern import Pattern, Verdict, match
from labctl.sequence.recording import Recording

__all__ = ["Moment", "Order", "Timeline"]


class Timeline:
    """What happened on all hosts.

    `recording` has the calls with their sockets, as `calls` has them.
    """

    def __init__(self, recording: Recording, assembled: Assembled) -> None:
        self.recording = replace(recording, calls=assembled.calls)
        self._assembled = assembled

    @classmethod
    def of(cls, recording: Recording) -> Self:
        """Put a recording together."""
        with no_collection():
            return cls(recording, assemble(recording))

    @property
    def calls(self) -> tuple[Call, ...]:
        """All calls in the order of their start, each with the socket it was on."""
        return self._assembled.calls

    @property
    def sockets(self) -> tuple[Socket, ...]:
        """All sockets that calls were on."""
        return self._assembled.sockets

    @property
    def connections(self) -> tuple[Connection, ...]:
        """All connections and exchanges, in the order of their beginning, numbered from 1."""
        return self._assembled.connections

    @property
    def moments(self) -> tuple[Moment, ...]:
        """All moments; none comes before what causes it, and else they are in order of time."""
        return self._ordering.moments

    @property
    def doubted(self) -> int:
        """How many pairs of cause and effect were left out, as the clocks say the opposite."""
        return self._ordering.doubted

    def order(self, first: Moment, second: Moment, /) -> Order:
        """Return how one moment lies to another: by cause, or by a clock that is sure."""
        return self._ordering.order(first, second)

    def matches(self, pattern: Pattern | Mapping[str, Any]) -> Verdict:
        """Return whether what happened is as a pattern says, and if not, what is not.

        Raises PatternError where the pattern is wrong or names a host that was not observed.
        """
        with no_collection():
            return match(pattern, self)

    @cached_property
    def _ordering(self) -> Ordering:
        with no_collection():
            by_time = moments_of(self.recording, self.calls)
            caused = causes(self.recording, self._assembled)
            return Ordering(by_time, caused, self._assembled.latest)
