"""EADDRINUSE: who still has the port, or which connections keep it (ip(7), RFC 9293, 3.6.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from labctl.sequence.arguments import endpoint
from labctl.sequence.connection import Connection, Side, Socket
from labctl.sequence.diagnose.args import sets
from labctl.sequence.diagnose.diagnosis import Finding
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.diagnose.ports import kind
from labctl.sequence.diagnose.words import span
from labctl.sequence.events import Call, Endpoint, Segment

TIME_WAIT = 60_000_000_000
"""How long Linux keeps a connection in TIME-WAIT: TCP_TIMEWAIT_LEN, in nanoseconds."""

_REUSE = (
    "Set SO_REUSEADDR before bind, in every run of the server: Linux asks it of the old socket"
    " and of the new one."
)


def address_in_use(facts: Facts) -> Iterator[Finding]:
    """Say of every bind, listen and connect that failed with EADDRINUSE who has the port."""
    failed = [call for call in facts.calls if call.errno == "EADDRINUSE"]
    if not failed:
        return
    waiting = _first_closers(facts)
    for call in failed:
        socket = facts.sockets.get(call.socket) if call.socket is not None else None
        protocol = kind(socket) if socket else "tcp"
        wanted = endpoint(call) if call.name == "bind" else socket.local if socket else None
        wanted = wanted or _only_one(facts, call.host, protocol)
        if wanted is None:
            continue
        other = _holder(facts, call, wanted, protocol)
        if other:
            yield _taken(facts, call, wanted, other)
        elif protocol == "tcp":
            yield from _time_wait(facts, call, wanted, waiting.get((call.host, wanted.port), []))


def _only_one(facts: Facts, host: str, protocol: str) -> Endpoint | None:
    """Return the address that any server of a host had, where all had the same.

    A failed bind to it is the only one that can have met it, also where a tracer (tracefs)
    does not tell to what.
    """
    known = {holder.local for holder in facts.ports.servers(host, protocol)}
    return known.pop() if len(known) == 1 else None


def _holder(facts: Facts, call: Call, wanted: Endpoint, protocol: str) -> Socket | None:
    for holder in facts.ports.holders(call.host, protocol, wanted.port):
        if holder.socket.id != call.socket and holder.open_at(call.start):
            return holder.socket
    return None


def _taken(facts: Facts, call: Call, wanted: Endpoint, other: Socket) -> Finding:
    own = call.pid in other.holders
    holders = [facts.who(call.host, pid) for pid in other.holders]
    who = "the same process" if own else holders[0] if holders else "a process not observed"
    return Finding(
        rule="address-in-use",
        level="error",
        host=call.host,
        time=call.start,
        key=(call.host, wanted, other.id),
        sentence=f"{call.name} of {facts.who(call.host, call.pid)} on {call.host} to {wanted}"
        f" failed {facts.at(call.start)} with EADDRINUSE: {who} has a socket on"
        f" {other.local}",
        advice="End the other process first, or use another port.",
        events=(*facts.socket_calls.get(other.id, [])[:2], call),
        thing="attempt",
    )


Kept = tuple[Connection, Side, Segment | None, int]
"""A connection, the side that closed it first, its FIN, and when the connection was over."""


def _first_closers(facts: Facts) -> dict[tuple[str, int], list[Kept]]:
    """Return by host and local port the connections that go to TIME-WAIT there."""
    table: dict[tuple[str, int], list[Kept]] = defaultdict(list)
    for connection in facts.connections:
        if connection.protocol != "tcp" or connection.outcome != "established":
            continue
        kept = closed_first(connection)
        if kept:
            side = kept[1]
            host = facts.host_of(side)
            if host and side.endpoint:
                table[host, side.endpoint.port].append(kept)
    return table


def closed_first(connection: Connection) -> Kept | None:
    """Return the side that goes to TIME-WAIT, None where there is none or it is not known."""
    for change in connection.states:
        if change.new == "TIME-WAIT":
            for side in connection.sides:
                if side.endpoint == change.local:
                    return connection, side, None, change.time
    ends = [s for s in connection.segments if "FIN" in s.flags or "RST" in s.flags]
    if not ends or any("RST" in s.flags for s in ends):
        return None
    for side in connection.sides:
        if side.endpoint == ends[0].source:
            return connection, side, ends[0], ends[-1].time
    return None


def _time_wait(facts: Facts, call: Call, wanted: Endpoint, kept: list[Kept]) -> Iterator[Finding]:
    recent = [k for k in kept if 0 <= call.start - k[3] < TIME_WAIT]
    if not recent or call.name != "bind":
        return
    set_now = any(sets(c, "SO_REUSEADDR") for c in facts.socket_calls.get(call.socket or -1, []))
    before = [c for k in recent for c in k[1].calls if sets(c, "SO_REUSEADDR")]
    if set_now and before:
        return
    connection, side, fin, over = recent[-1]
    whose = (
        "this socket has SO_REUSEADDR, but the one that had the port before had not"
        if set_now
        else "SO_REUSEADDR was not set"
    )
    yield Finding(
        rule="time-wait",
        level="error",
        host=call.host,
        time=call.start,
        key=(call.host, wanted),
        sentence=f"bind of {facts.who(call.host, call.pid)} on {call.host} to {wanted} failed"
        f" {facts.at(call.start)} with EADDRINUSE although no socket has the port:"
        f" {call.host} had closed its connection with {facts.name(_other(connection, side))} first,"
        f" {span(call.start - over)} before, so that it stays in TIME-WAIT for 60 s; {whose}",
        advice=_REUSE,
        events=(*([fin] if fin else []), call),
        connections=tuple(sorted({k[0].id for k in recent})),
        thing="attempt",
    )


def _other(connection: Connection, side: Side) -> Side:
    return connection.server if side is connection.client else connection.client
