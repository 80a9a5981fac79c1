"""Whose connection an accept returned, where nothing was done with it that tells. Pure.

The queue of established connections is first in, first out (accept(2), listen(2)). So where a
socket was seen from when it began to listen, the order in which its connections became
established is that in which they were accepted. What two processors or two threads did at the
same time has no certain order, and gets no address.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from labctl.observe.tracefs.files import RawSocket
from labctl.observe.tracefs.states import RawState
from labctl.observe.tracefs.tasks import RawCall

_APART = 1_000_000
"""In ns: what two processors did so long after one another has a certain order."""
_WILDCARDS = ("0.0.0.0", "::")


def fill_in(listeners: Sequence[RawSocket], states: Iterable[RawState]) -> None:
    """Fill in the peer's address of the accepts of these sockets."""
    opened = _passive(states)
    for socket in listeners:
        if socket.since is not None and not _shared(socket, listeners):
            port = socket.local.port if socket.local else 0
            candidates = opened.get((_host(socket), port), [])
            arrived = [state for state in candidates if _is_of(socket, state)]
            _pair(sorted(socket.accepts, key=lambda call: call.end or 0), arrived)


def _passive(states: Iterable[RawState]) -> dict[tuple[str | None, int], list[RawState]]:
    """Return, by host and port, changes to ESTABLISHED of connections that others opened."""
    active: set[tuple[str | None, object, object]] = set()
    found: dict[tuple[str | None, int], list[RawState]] = {}
    for state in states:
        ends = (state.host, state.local, state.remote)
        if state.new == "SYN-SENT":
            active.add(ends)
        elif state.old == "LISTEN":
            active.discard(ends)
        elif state.new == "ESTABLISHED" and state.old == "SYN-RECEIVED" and ends not in active:
            found.setdefault((state.host, state.local.port), []).append(state)
    return found


def _host(socket: RawSocket) -> str:
    return socket.made.task.process.host


def _shared(socket: RawSocket, listeners: Sequence[RawSocket]) -> bool:
    """Whether another socket listened on the same port of the host, at whatever time."""
    port = socket.local and socket.local.port
    return any(
        other is not socket
        and _host(other) == _host(socket)
        and (other.local is None or other.local.port == port)
        for other in listeners
    )


def _is_of(socket: RawSocket, state: RawState) -> bool:
    local = socket.local
    return (
        local is not None
        and local.address in (*_WILDCARDS, state.local.address)
        and state.time >= (socket.since or 0)
    )


def _pair(accepts: Sequence[RawCall], arrived: Sequence[RawState]) -> None:
    pairs = list(zip(accepts, arrived, strict=False))
    if any(_contradicts(call, state) for call, state in pairs):
        return  # one was missed
    doubtful: set[int] = set()
    for place, (call, state) in enumerate(pairs):
        end = call.end or 0
        for later in range(place + 1, len(arrived)):
            if arrived[later].time > end:
                break
            if _unordered(state, arrived[later]):
                doubtful |= {place, later}
            if later < len(pairs) and pairs[later][0].start < end:
                doubtful |= {place, later}
    for place, (call, state) in enumerate(pairs):
        if place not in doubtful:
            call.more.setdefault("address", str(state.remote))


def _unordered(one: RawState, other: RawState) -> bool:
    return one.cpu != other.cpu and abs(other.time - one.time) < _APART


def _contradicts(call: RawCall, state: RawState) -> bool:
    told = call.more.get("address")
    return state.time > (call.end or 0) or (told is not None and told != str(state.remote))
