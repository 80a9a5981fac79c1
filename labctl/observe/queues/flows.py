"""Finds the two ends of each direction of a connection, and the times that are worth a mark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from labctl.observe.queues.model import Flow, Sampled, SocketQueues, Span, levels
from labctl.sequence.connection import Connection, Side
from labctl.sequence.events import Call, Segment
from labctl.sequence.timeline import Timeline
from labctl.sequence.verbs import verb

BLOCKED = 20_000_000
"""Nanoseconds from which on a send counts as blocked: to copy its bytes takes far less, also
while it is traced."""

_RESOLVER = "127.0.0.11"


def flows(sampled: Sampled) -> tuple[Flow, ...]:
    """Return all flows, those first in which the most bytes waited.

    What looks names up at the engine's name server, which is on each host, is left out.
    """
    sockets = [one for one in sampled.sockets if not _is_look_up(one)]
    found = [*_of_tcp(sockets), *_of_udp(sockets)]
    return tuple(sorted(found, key=lambda f: -max(f.highest_send, f.highest_receive)))


def _is_look_up(socket: SocketQueues) -> bool:
    ends = [end.address for end in (socket.local, socket.remote) if end is not None]
    return _RESOLVER in ends


def _of_tcp(sockets: Iterable[SocketQueues]) -> Iterator[Flow]:
    """Yield both directions of each connection that has an end among these.

    Where two connections one after the other had the same addresses, each end belongs to the
    one of the other side that was there at the same time.
    """
    ends = [one for one in sockets if one.protocol == "tcp" and one.remote is not None]
    left = list(ends)
    while left:
        one = left.pop(0)
        other = next((two for two in left if _are_ends(one, two)), None)
        if other is not None:
            left.remove(other)
        yield Flow("tcp", one, other)
        yield Flow("tcp", other, one)


def _are_ends(one: SocketQueues, two: SocketQueues) -> bool:
    if (one.local, one.remote) != (two.remote, two.local):
        return False
    starts, ends = (one.levels[0].time, two.levels[0].time), (one.gone, two.gone)
    return all(end is None or max(starts) <= end for end in ends)


def _of_udp(sockets: Iterable[SocketQueues]) -> Iterator[Flow]:
    for one in sockets:
        if one.protocol == "udp":
            if any(level.send_queue for level in one.levels):
                yield Flow("udp", one, None)
            yield Flow("udp", None, one)


def closed_window(flow: Flow, end: int) -> tuple[Span, ...]:
    """Return when the sender probed a window that was closed; `end` is that of the looks."""
    spans: list[Span] = []
    since: int | None = None
    for level in levels(flow.sender):
        if level.probing and since is None:
            since = level.time
        elif not level.probing and since is not None:
            spans.append(Span(since, level.time))
            since = None
    if since is not None:
        gone = flow.sender.gone if flow.sender else None
        spans.append(Span(since, gone or end))
    return tuple(spans)


def drops(flow: Flow) -> tuple[Span, ...]:
    """Return when packets were found to be dropped, and how many each time."""
    found: list[Span] = []
    known: int | None = None
    for level in levels(flow.receiver) if flow.protocol == "udp" else ():
        if level.dropped is not None:
            if known is not None and level.dropped > known:
                found.append(Span(level.time, level.time, str(level.dropped - known)))
            known = level.dropped
    return tuple(found)


def blocked(flow: Flow, timeline: Timeline | None, end: int) -> tuple[Span, ...]:
    """Return when the sender's program was blocked in a send, as far as its calls were seen."""
    if timeline is None or flow.sender is None:
        return ()
    return tuple(
        Span(call.start, call.end or end, call.name)
        for _, side in _sides(flow.sender, timeline)
        for call in side.calls
        if verb(call.name) == "send" and _lasted(call, end)
    )


def probes(flow: Flow, timeline: Timeline | None) -> int:
    """Return how many probes of a closed window the sender sent, as seen on the wire.

    Linux sends a segment without data, one before what is acknowledged, so that it must be
    answered (tcp_output.c, tcp_xmit_probe_skb); so does a keepalive.
    """
    if timeline is None or flow.sender is None:
        return 0
    spans = closed_window(flow, max((s.time for s in timeline.recording.segments), default=0))
    return sum(
        _is_probe(segment, highest) and any(s.start <= segment.time <= s.end for s in spans)
        for connection, side in _sides(flow.sender, timeline)
        for segment, highest in _sent(connection, side)
    )


def _sent(connection: Connection, side: Side) -> Iterator[tuple[Segment, int]]:
    """Yield what a side sent, each with the number after the last byte sent before."""
    highest = 0
    for segment in connection.segments:
        if segment.source == side.endpoint and segment.seq is not None:
            yield segment, highest
            highest = max(highest, segment.seq + segment.length)


def _is_probe(segment: Segment, highest: int) -> bool:
    return segment.flags == ("ACK",) and not segment.length and segment.seq == highest - 1


def _sides(socket: SocketQueues, timeline: Timeline) -> Iterator[tuple[Connection, Side]]:
    """Yield the connections whose one side a socket is."""
    for connection in timeline.connections:
        for side in connection.sides:
            if side.host == socket.host and side.endpoint == socket.local:
                yield connection, side


def _lasted(call: Call, end: int) -> bool:
    return (call.end or end) - call.start >= BLOCKED
