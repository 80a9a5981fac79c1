"""How many bytes went one way over a TCP connection: sent, arrived, received by the program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from labctl.sequence.connection import Connection, Side
from labctl.sequence.diagnose.args import reads, sends
from labctl.sequence.diagnose.facts import Facts, arrival
from labctl.sequence.events import Call, Segment


@dataclass(frozen=True, slots=True)
class Flow:
    """What went from one end of a connection (`source`) to the other (`target`).

    `sent` and `read` have the calls that moved bytes, in the order of time, those of all
    processes that hold the sockets.
    """

    source: Side
    target: Side
    sent: tuple[Call, ...]
    read: tuple[Call, ...]
    segments: tuple[Segment, ...]

    def arrived(self, time: int) -> int:
        """Return how many bytes had come to the target's host by a time."""
        first = 1 if any("SYN" in s.flags for s in self.segments) else None
        reached = 0
        for segment in self.segments:
            if first is None and segment.length and segment.seq is not None:
                first = segment.seq
            came = arrival(segment)
            if segment.length and segment.seq is not None and came is not None and came <= time:
                reached = max(reached, segment.seq + segment.length - (first or 0))
        return reached

    def taken(self) -> int:
        """Return how many bytes the target's program has received."""
        return sum(call.result or 0 for call in self.read)

    def finished(self) -> int | None:
        """Return when the source's FIN or RST came to the target's host; None where none did."""
        for segment in self.segments:
            if "FIN" in segment.flags or "RST" in segment.flags:
                came = arrival(segment)
                if came is not None:
                    return came
        return None


def flow(facts: Facts, connection: Connection, source: Side, target: Side) -> Flow:
    """Return what went one way; put together once, as several rules ask for it."""
    key = connection.id, source is connection.client
    found = facts.flows.get(key)
    if found is None:
        found = facts.flows[key] = _flow(facts, connection, source, target)
    return found


def _flow(facts: Facts, connection: Connection, source: Side, target: Side) -> Flow:
    return Flow(
        source,
        target,
        tuple(call for call in facts.calls_on(source) if sends(call)),
        tuple(call for call in facts.calls_on(target) if reads(call)),
        tuple(s for s in connection.segments if s.source == source.endpoint),
    )


def flows(facts: Facts) -> Iterator[tuple[Connection, Flow, Flow]]:
    """Yield both directions of every established TCP connection, each once as the first."""
    for connection in facts.connections:
        if connection.protocol == "tcp" and connection.outcome == "established":
            client, server = connection.sides
            there = flow(facts, connection, client, server)
            back = flow(facts, connection, server, client)
            yield connection, there, back
            yield connection, back, there
