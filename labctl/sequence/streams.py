"""One direction of a TCP connection as a stream of bytes: which segment, which call had which."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from operator import itemgetter
from typing import NamedTuple

from labctl.sequence.events import Call, Endpoint, Segment
from labctl.sequence.transfer import is_recv, is_send, moved
from labctl.sequence.verbs import verb


@dataclass(slots=True)
class Stream:
    """The segments from one end, in the order in which they were sent.

    `reached` has the arrivals with which the stream grew, each with the sequence number up to
    which the other end then had all. `syn` and `fin` are the first of their kind.
    """

    segments: list[Segment] = field(default_factory=list)
    reached: list[tuple[int, Segment]] = field(default_factory=list)
    syn: Segment | None = None
    fin: Segment | None = None

    @classmethod
    def of(cls, segments: Sequence[Segment], source: Endpoint | None) -> Stream:
        """Return the stream of what was sent from an endpoint."""
        made = cls([s for s in segments if s.source == source and s.protocol == "tcp"])
        for segment in made.segments:
            if "SYN" in segment.flags:
                made.syn = made.syn or segment
            if "FIN" in segment.flags:
                made.fin = made.fin or segment
        made.reached = [*_progress(made.segments)]
        return made

    @property
    def first(self) -> int | None:
        """The sequence number of the first byte of data; None where no SYN tells it."""
        return None if self.syn is None or self.syn.seq is None else self.syn.seq + 1

    def up_to(self, number: int) -> Segment | None:
        """Return the segment with whose arrival the other end had all before a number."""
        place = bisect_left(self.reached, number, key=itemgetter(0))
        return self.reached[place][1] if place < len(self.reached) else None


def end_of(segment: Segment) -> int:
    """Return the sequence number after the last that a segment takes (RFC 9293, 3.4)."""
    return end_of_data(segment) + ("FIN" in segment.flags)


def end_of_data(segment: Segment) -> int:
    """Return the sequence number after its last byte of data; a SYN takes one too."""
    return (segment.seq or 0) + ("SYN" in segment.flags) + segment.length


def _progress(segments: Sequence[Segment]) -> Iterator[tuple[int, Segment]]:
    """Yield the arrivals that made the stream grow, in whichever order they were.

    What came before a gap was filled counts from when the gap was.
    """
    arrived = [s for s in segments if s.received is not None and s.seq is not None]
    arrived.sort(key=arrival)
    early: list[tuple[int, int]] = []
    reached = min((s.seq or 0 for s in arrived), default=0)
    for segment in arrived:
        before = reached
        heappush(early, (segment.seq or 0, end_of(segment)))
        while early and early[0][0] <= reached:
            reached = max(reached, heappop(early)[1])
        if reached > before:
            yield reached, segment


def arrival(segment: Segment) -> int:
    """Return when a segment was received; where that was not seen, when it was sent."""
    return segment.received.time if segment.received else segment.time


class Span(NamedTuple):
    """A call, and how many bytes of the stream it and those before it have moved."""

    call: Call
    end: int


def sent_by(calls: Iterable[Call]) -> list[Span]:
    """Return up to which byte each send gave; nothing after one whose count is not known.

    Calls of several threads may take turns in another order than that of their starts. Even
    so, no byte is given before the call was made that is said here to give it.
    """
    return _spans(call for call in calls if is_send(call) or verb(call.name) == "splice")


def received_by(calls: Iterable[Call]) -> list[Span]:
    """Return up to which byte each recv took, in the order of their returns.

    With it, what is said for `sent_by` is true of the returns.
    """
    done = [c for c in calls if c.end is not None and (is_recv(c) or verb(c.name) == "splice")]
    done.sort(key=lambda call: call.end or 0)
    return _spans(done)


def _spans(calls: Iterable[Call]) -> list[Span]:
    found, place = [], 0
    for call in calls:
        size = None if verb(call.name) == "splice" else moved(call)
        if size is None:
            break
        if size > 0:
            place += size
            found.append(Span(call, place))
    return found
