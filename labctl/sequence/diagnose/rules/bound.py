"""EINVAL of bind: the socket has its address already (bind(2))."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.sequence.arguments import endpoint
from labctl.sequence.diagnose.diagnosis import Finding
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.events import Call
from labctl.sequence.verbs import verb

_GIVE = {
    "bind": "bind had already given the socket {}",
    "listen": "listen was called before, so the kernel had already given the socket {}",
    "connect": "connect was called before, so the kernel had already given the socket {}",
    "send": "the socket had sent before, so the kernel had already given it {}",
}
_ADVICE = {
    "bind": "A socket is bound once. Call bind once, or make a new socket for another address.",
    "listen": "Call bind first, then listen: else clients do not know the port.",
}
_FIRST = "Call bind right after socket, before anything else that needs an address."


def bound_already(facts: Facts) -> Iterator[Finding]:
    """Say of every bind that failed with EINVAL what had given the socket its address."""
    for call in facts.calls:
        if call.name != "bind" or call.errno != "EINVAL" or call.socket is None:
            continue
        before = _giver(facts.socket_calls[call.socket], call)
        if before is not None:
            yield _found(facts, call, before)


def _giver(calls: list[Call], bind: Call) -> Call | None:
    """Return the first call that gave a socket its address before a bind of it."""
    for call in calls:
        if call.end is None or call.end > bind.start:
            continue
        pending = call.name == "connect" and call.errno == "EINPROGRESS"
        if verb(call.name) in _GIVE and (pending or not call.failed):
            return call
    return None


def _found(facts: Facts, call: Call, before: Call) -> Finding:
    socket = facts.sockets.get(before.socket or 0)
    given = endpoint(before) if before.name == "bind" else None
    given = given if given and given.port else socket.local if socket else None
    wanted = endpoint(call)
    what = verb(before.name)
    has = _GIVE[what].format(f"the address {given}" if given else "an address")
    return Finding(
        rule="bound-already",
        level="error",
        host=call.host,
        time=call.start,
        key=(call.host, call.pid, what),
        sentence=f"bind of {facts.who(call.host, call.pid)} on {call.host}"
        f"{f' to {wanted}' if wanted else ''} failed {facts.at(call.start)} with EINVAL:"
        f" {has}",
        advice=_ADVICE.get(what, _FIRST),
        events=(before, call),
        thing="call",
    )
