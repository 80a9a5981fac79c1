"""Connections that wait in the queue of a listening socket (listen(2)).

Linux completes handshakes until more than `backlog` connections wait, that is backlog + 1; then
it drops SYNs, and the last ACK of handshakes, and the client's kernel tries again after 1 s, and
then later and later.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from labctl.sequence.connection import Connection
from labctl.sequence.diagnose.args import backlog
from labctl.sequence.diagnose.diagnosis import Finding
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.diagnose.handshakes import acknowledged
from labctl.sequence.diagnose.ports import Holder
from labctl.sequence.diagnose.queues import queues
from labctl.sequence.diagnose.words import count, span
from labctl.sequence.events import Segment
from labctl.sequence.verbs import verb


def backlog_overflow(facts: Facts) -> Iterator[Finding]:
    """Say of SYNs and ACKs that were dropped because the queue was full."""
    for holder, connections in queues(facts):
        assert holder.listen is not None
        room = backlog(holder.listen)
        dropped = [(c, s) for c in connections for s in [_repeated(c)] if s]
        if room is None or not dropped:
            continue
        entered, left = _passages(connections)
        for connection, segment in dropped:
            first = connection.segments[0].time
            waited = bisect_right(entered, first) - bisect_left(left, first)
            if waited > room:
                yield _overflow(facts, holder, connection, segment, room, waited)


def _repeated(connection: Connection) -> Segment | None:
    """Return the first SYN or SYN-ACK that was sent again; of an unanswered SYN, that SYN."""
    if connection.outcome == "refused":
        return None
    seen: set[tuple[str, ...]] = set()
    syns = [s for s in connection.segments if "SYN" in s.flags]
    for segment in syns:
        if segment.retransmission or segment.flags in seen:
            return segment
        seen.add(segment.flags)
    return syns[0] if syns and connection.outcome == "unanswered" else None


def _passages(connections: list[Connection]) -> tuple[list[int], list[int]]:
    """Return when connections came to the queue, and when accept took them, each sorted.

    A connection whose SYN-ACK was sent again was not in the queue when its first ACK came, and
    is left out.
    """
    entered, left = [], []
    for connection in connections:
        done = acknowledged(connection)
        if done is None or _repeated(connection):
            continue
        entered.append(done[1])
        accept = next((c for c in connection.server.calls if verb(c.name) == "accept"), None)
        if accept:
            left.append(max(accept.end or accept.start, done[1]))
    return sorted(entered), sorted(left)


def _overflow(
    facts: Facts, holder: Holder, connection: Connection, again: Segment, room: int, waited: int
) -> Finding:
    socket = holder.socket
    lost = connection.outcome == "unanswered"
    assert holder.listen is not None
    syns = [s for s in connection.segments if "SYN" in s.flags]
    late = f" and tried again {span(again.time - syns[0].time)} later" if again != syns[0] else ""
    became = f"got no answer{late}" if lost else f"was left waiting{late}"
    return Finding(
        rule="backlog-overflow",
        level="error" if lost else "warning",
        host=socket.host,
        time=syns[0].time,
        key=(socket.id,),
        sentence=f"the accept queue of {facts.owner(socket)} at {holder.local} was full"
        f" {facts.at(syns[0].time)}: {count(waited, 'connection')} waited for accept, one more than"
        f" the backlog of {room}, so {facts.name(connection.client)} {became}",
        advice="Call accept sooner (serve clients concurrently), or listen with a larger backlog.",
        events=(holder.listen, *syns),
        connections=(connection.id,),
    )
