"""What causes what on one TCP connection (RFC 9293).

- connect sends the SYN; listen was called before the SYN that is answered came; the SYN-ACK
  answers the SYN, and connect succeeds when it has come; accept returns a connection whose
  handshake is complete.
- No segment acknowledges what has not come yet.
- No data leaves before the send that gives it, none is received before it came; the FIN leaves
  when close or shutdown is called, and recv returns 0 when it has come.
- A call fails with what a RST has told.
- Of the changes of state at one end, each comes after the one before it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import attrgetter

from labctl.sequence.connection import Connection, Side
from labctl.sequence.endings import ends_receiving, ends_sending
from labctl.sequence.events import Call, Segment, StateChange
from labctl.sequence.moment_key import Cause, at, entry, exit_of, received, sent
from labctl.sequence.streams import (
    Stream,
    arrival,
    end_of,
    end_of_data,
    received_by,
    sent_by,
)
from labctl.sequence.verbs import verb

_BY_RESET = frozenset({"ECONNRESET", "EPIPE", "ECONNREFUSED"})


def of_tcp(connection: Connection) -> Iterator[Cause]:
    """Yield the causes of one connection."""
    client, server = connection.sides
    forth = Stream.of(connection.segments, client.endpoint)
    back = Stream.of(connection.segments, server.endpoint)
    yield from _opening(client, forth, back)
    yield from _opening(server, back, forth)
    yield from _accepting(server, forth, back)
    for own, out, came in ((client, forth, back), (server, back, forth)):
        yield from _acknowledged(out, came)
        yield from _sending(own, out)
        yield from _receiving(own, came)
        yield from _failing(own, came)
        yield from _states(own, connection.states)


def _fast(stream: Stream) -> bool:
    """Tell of TCP Fast Open (RFC 7413): data in the SYN is sent, and taken, in advance."""
    return stream.syn is not None and stream.syn.length > 0


def _opening(own: Side, out: Stream, came: Stream) -> Iterator[Cause]:
    """Of one end that connects; where both do (RFC 9293, 3.5), of each."""
    connects = [call for call in own.calls if call.name == "connect"]
    if not connects:
        return
    if out.syn is not None:
        yield entry(connects[0]), sent(out.syn)
    answer = None if came.first is None or _fast(out) else came.up_to(came.first)
    if answer is not None:
        yield from ((received(answer), exit_of(call)) for call in connects if call.result == 0)


def _accepting(server: Side, forth: Stream, back: Stream) -> Iterator[Cause]:
    syn, answer = forth.syn, back.syn
    if syn is None or answer is None or "ACK" not in answer.flags:
        return
    listens = (call for call in server.calls if call.name == "listen" and not call.failed)
    # A later listen of the same socket only changes the backlog.
    for call in [*listens][:1]:
        yield entry(call), received(syn)
        yield entry(call), sent(answer)
    done = _completing(forth)
    if done is not None:
        for call in server.calls:
            if verb(call.name) == "accept" and not call.failed:
                yield received(done), exit_of(call)


def _completing(forth: Stream) -> Segment | None:
    """Return the client's segment that came first after its SYN: it completes the handshake."""
    found = [
        segment
        for segment in forth.segments
        if segment.received is not None and (_fast(forth) or "SYN" not in segment.flags)
    ]
    return min(found, key=arrival, default=None)


def _acknowledged(out: Stream, came: Stream) -> Iterator[Cause]:
    """Each segment was sent after all that it acknowledges had come."""
    for segment in out.segments:
        last = came.up_to(segment.ack) if segment.ack else None
        if last is not None:
            yield received(last), sent(segment)


def _sending(own: Side, out: Stream) -> Iterator[Cause]:
    spans = [] if out.first is None else sent_by(own.calls)
    for segment in out.segments:
        if spans and segment.length and not segment.retransmission:
            end = end_of_data(segment) - (out.first or 0)
            place = bisect_left(spans, end, key=attrgetter("end"))
            if place < len(spans):
                yield entry(spans[place].call), sent(segment)
    if out.fin is not None:
        yield from ((entry(call), sent(out.fin)) for call in _ending(own))


def _ending(own: Side) -> list[Call]:
    """Return the calls without which the FIN would not leave: of close, that of each holder."""
    ending = next((call for call in own.calls if ends_sending(call)), None)
    if ending is None or ending.name == "shutdown":
        return [] if ending is None else [ending]
    return [call for call in own.calls if verb(call.name) == "close"]


def _receiving(own: Side, came: Stream) -> Iterator[Cause]:
    if came.first is not None:
        for span in received_by(own.calls):
            last = came.up_to(came.first + span.end)
            if last is not None:
                yield received(last), exit_of(span.call)
    last = None if came.fin is None else came.up_to(end_of(came.fin))
    if last is None:
        return
    for call in own.calls:
        if ends_receiving(call):
            return
        if verb(call.name) == "recv" and call.result == 0 and call.args.get("length") != 0:
            yield received(last), exit_of(call)


def _failing(own: Side, came: Stream) -> Iterator[Cause]:
    resets = [s for s in came.segments if "RST" in s.flags and s.received is not None]
    reset = min(resets, key=arrival, default=None)
    if reset is None:
        return
    closed = False
    for call in own.calls:
        # Who has ended sending gets EPIPE without being told anything.
        closed = closed or ends_sending(call)
        if call.errno in _BY_RESET and not (closed and call.errno == "EPIPE"):
            yield received(reset), exit_of(call)


def _states(own: Side, changes: Sequence[StateChange]) -> Iterator[Cause]:
    mine = [change for change in changes if _is_at(own, change)]
    for before, after in pairwise(mine):
        yield at(before), at(after)
    for change in mine:
        if change.new == "SYN-SENT":
            connects = (call for call in own.calls if call.name == "connect")
            yield from ((entry(call), at(change)) for call in [*connects][:1])
        elif change.new == "ESTABLISHED":
            for call in own.calls:
                opens = call.name == "connect" or verb(call.name) == "accept"
                if opens and not call.failed and call.end is not None:
                    yield at(change), exit_of(call)


def _is_at(own: Side, change: StateChange) -> bool:
    if change.host != own.host:
        return False
    if not change.local.port:
        return any(call.name == "connect" for call in own.calls)
    return own.endpoint in (None, change.local)
