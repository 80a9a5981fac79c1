"""Puts the frames of several hosts in one order: by cause, then by clock.

A tracer notices late that a call has returned. But `connect` returns as its SYN-ACK arrives, or
earlier, where it does not block, and only the ACK that answers it lets the other end's `accept`
return (RFC 9293, 3.5).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from labctl.observe.sockets.model import SocketAddress
from labctl.observe.steps import words
from labctl.observe.steps.model import Frame

_Ends = tuple[SocketAddress, SocketAddress]
"""Local and remote address of a client's socket."""


def in_order(hosts: Iterable[Iterable[Frame]]) -> tuple[Frame, ...]:
    """Return the frames of several hosts, each host's in its own order."""
    queues = [deque(frames) for frames in hosts]
    connects = {ends: queue for queue in queues for frame in queue if (ends := _connected(frame))}
    found: list[Frame] = []
    while left := [queue for queue in queues if queue]:
        queue = min(left, key=lambda one: one[0].time)
        frame = _cause(queue, connects).popleft()
        ends = _connected(frame)
        if ends is not None:
            connects.pop(ends, None)
        found.append(frame)
    return tuple(found)


def _cause(queue: deque[Frame], connects: Mapping[_Ends, deque[Frame]]) -> deque[Frame]:
    """Return the queue that goes on first: another than `queue`, where its next frame is of an
    accept and the connect of that connection is still to come."""
    ends = _accepted(queue[0])
    return queue if ends is None else connects.get(ends, queue)


def _connected(frame: Frame) -> _Ends | None:
    if frame.does != "connect" or frame.call is None:
        return None
    if words.error(frame.call) not in (None, "EINPROGRESS"):
        return None
    one = frame.socket(frame.call.arguments[0])
    return None if one is None or one.protocol != "tcp" else (one.local, one.remote)


def _accepted(frame: Frame) -> _Ends | None:
    one = frame.socket(frame.result) if frame.does == "accept" else None
    return None if one is None else (one.remote, one.local)
