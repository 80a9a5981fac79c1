"""EADDRNOTAVAIL from connect: no ephemeral port is left towards that server (ip(7)).

A connection is known by both its endpoints, so one local port can serve connections to many
servers at once, but only one to each address and port. A connection that this side closed first
keeps its port for TIME-WAIT.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from labctl.sequence.arguments import endpoint
from labctl.sequence.connection import Connection
from labctl.sequence.diagnose.diagnosis import Finding
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.diagnose.rules.in_use import TIME_WAIT, closed_first
from labctl.sequence.diagnose.words import count
from labctl.sequence.events import Call, Endpoint

_Towards = tuple[str | None, Endpoint | None]


def no_port_left(facts: Facts) -> Iterator[Finding]:
    """Say of every connect that failed with EADDRNOTAVAIL what holds the host's ports."""
    failed = [
        (c, call)
        for c in facts.connections
        if c.outcome == "unsent"
        for call in c.client.calls
        if call.name == "connect" and call.errno == "EADDRNOTAVAIL"
    ]
    if not failed:
        return
    towards: dict[_Towards, list[Connection]] = defaultdict(list)
    for connection in facts.connections:
        if connection.protocol == "tcp" and connection.outcome == "established":
            towards[connection.client.host, connection.server.endpoint].append(connection)
    for connection, call in failed:
        own = next((c for c in connection.client.calls if c.name == "bind" and not c.failed), None)
        before = towards[call.host, connection.server.endpoint]
        yield _finding(facts, connection, call, own, before)


def _finding(
    facts: Facts, failed: Connection, call: Call, own: Call | None, before: list[Connection]
) -> Finding:
    target = failed.server.endpoint
    opened = [c for c in before if c.segments and c.segments[0].time < call.start]
    held = [c for c in opened if not _released_by(c, call.start)]
    waiting = [c for c in opened if c not in held and _waits(c, call.start)]
    listed = f"{count(len(held), 'connection')} open, {len(waiting):,} in TIME-WAIT"
    bound = endpoint(own) if own else None
    if bound and bound.port:
        why = (
            f"it had bound port {bound.port}, which has, or has had within the last 60 s, a"
            f" connection to that server ({listed})"
        )
        advice = "Leave bind out of a client: connect then takes a port that is free."
    else:
        why = (
            f"every ephemeral port of {call.host} was taken by a connection to that address and"
            f" port ({listed}); towards other servers they are free"
        )
        advice = (
            "Close what is no longer used, let the server close first (TIME-WAIT is then its"
            " own), use one connection for several requests, or widen the range"
            " (net.ipv4.ip_local_port_range)."
        )
    return Finding(
        rule="no-port-left",
        level="error",
        host=call.host,
        time=call.start,
        key=(call.host, target, bound),
        sentence=f"connect of {facts.who(call.host, call.pid)} on {call.host} to {target} failed"
        f" {facts.at(call.start)} with EADDRNOTAVAIL: {why}",
        advice=advice,
        events=(call,),
        connections=(failed.id,),
        thing="attempt",
    )


def _released_by(connection: Connection, time: int) -> bool:
    socket = connection.client.socket
    return socket is not None and socket.released is not None and socket.released <= time


def _waits(connection: Connection, time: int) -> bool:
    kept = closed_first(connection)
    if kept is None or kept[1] is not connection.client:
        return False
    return 0 <= time - kept[3] < TIME_WAIT
