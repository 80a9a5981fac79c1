"""The sends and receives of UDP sockets, and the datagrams on the wire that each moved.

A call doesn't always tell the peer: a connected socket's never do, and not every tracer sees
addresses. Then the datagram is found by order: a socket's datagrams leave in the order in which
they were sent, and are received in the order in which they came (udp(7)).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from labctl.sequence import arguments
from labctl.sequence.endpoints import UNDER_WAY, destination
from labctl.sequence.events import Call, Endpoint, Segment, Value
from labctl.sequence.moments import NEAR
from labctl.sequence.streams import arrival
from labctl.sequence.transfer import is_recv, is_send, moved

AHEAD = 32
"""Among how many datagrams that of a send is looked for: others may have been lost."""

_QUEUE = 1024
"""Among how many datagrams that of a receive is looked for: what a receive buffer holds."""


@dataclass(eq=False, slots=True)
class Operation:
    """One datagram that a call sent or received; `peer` is the other end, where it is known.

    `size` is how many bytes were moved, None where that is not known.
    """

    call: Call
    sends: bool
    peer: Endpoint | None
    size: int | None
    segment: Segment | None = None


def operations(calls: Iterable[Call]) -> list[Operation]:
    """Return what a socket sent and received, of all its calls in the order of time."""
    found: list[Operation] = []
    connected: Endpoint | None = None
    for call in calls:
        if call.name == "connect" and (not call.failed or call.errno in UNDER_WAY):
            connected = destination(call)
        else:
            found += of_call(call, connected)
    return found


def of_call(call: Call, connected: Endpoint | None = None) -> Iterator[Operation]:
    """Yield what one call sent, tried to send, or received, each datagram by itself."""
    sends = is_send(call)
    if not sends and (call.failed or not is_recv(call)):
        return
    messages = _messages(call)
    if messages is None:
        yield Operation(call, sends, destination(call) or connected, moved(call))
        return
    for message in messages:
        size = message.get("moved")
        peer = arguments.parsed(message.get("address"))
        yield Operation(call, sends, peer or connected, size if isinstance(size, int) else None)


def _messages(call: Call) -> list[dict[str, Value]] | None:
    """Return the messages that sendmmsg or recvmmsg moved, where the tracer shows them."""
    listed = call.args.get("messages")
    if call.failed or call.result is None or not isinstance(listed, list):
        return None
    shown = [message for message in listed[: call.result] if isinstance(message, dict)]
    return shown if len(shown) == call.result else None


def is_of(operation: Operation, segment: Segment) -> bool:
    """Tell whether a send may have sent a datagram."""
    if operation.peer is not None and operation.peer != segment.target:
        return False
    return operation.size in (None, segment.length)


def link(own: Sequence[Operation], sent: Sequence[Segment], came: Sequence[Segment]) -> None:
    """Find the datagram of each operation of one socket.

    `sent` are the socket's own datagrams, `came` those that came for it, both in order.
    """
    _link_sends([o for o in own if o.sends and not o.call.failed], sent)
    done = [o for o in own if not o.sends and o.call.end is not None]
    _link_receives(sorted(done, key=lambda o: o.call.end or 0), came)


def _link_sends(own: Sequence[Operation], sent: Sequence[Segment]) -> None:
    begin = 0
    for operation in own:
        start = operation.call.start - NEAR
        begin = max(begin, bisect_left(sent, start, key=attrgetter("time")))
        for place in range(begin, min(begin + AHEAD, len(sent))):
            if is_of(operation, sent[place]):
                operation.segment = sent[place]
                operation.peer = sent[place].target
                begin = place + 1
                break


def _link_receives(own: Sequence[Operation], came: Sequence[Segment]) -> None:
    begin = 0
    for operation in own:
        end = (operation.call.end or 0) + NEAR
        for place in range(begin, min(begin + _QUEUE, len(came))):
            if arrival(came[place]) > end:
                break
            if _received_by(operation, came[place]):
                operation.segment = came[place]
                operation.peer = came[place].source
                begin = place + 1
                break


def _received_by(operation: Operation, segment: Segment) -> bool:
    if operation.peer is not None and operation.peer != segment.source:
        return False
    size, room = operation.size, arguments.number(operation.call, "length")
    return size in (None, segment.length) or (size == room and segment.length > size)
