"""TCP connections that were refused: a RST answered the SYN (RFC 9293, 3.10.7.1)."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.sequence.connection import Connection
from labctl.sequence.diagnose.absence import Absence, Reason, absence
from labctl.sequence.diagnose.diagnosis import Evidence, Finding, Rule
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.events import Call, Endpoint

RULES: dict[Reason, Rule] = {
    "loopback": "loopback-bound",
    "other-address": "loopback-bound",
    "not-listening": "refused-not-listening",
    "later": "refused-listen-later",
    "gone": "refused-closed",
    "own-host": "refused-own-host",
    "other-port": "refused-other-port",
    "nobody": "refused-nobody",
    "unknown": "refused-nobody",
}


def refused(facts: Facts) -> Iterator[Finding]:
    """Say of every refused connection why nobody took it."""
    connected = _latest_success(facts)
    for connection in facts.connections:
        target = connection.server.endpoint
        if connection.protocol != "tcp" or connection.outcome != "refused" or target is None:
            continue
        call = next((c for c in connection.client.calls if c.name == "connect"), None)
        reset = next((s for s in connection.segments if "RST" in s.flags), None)
        if reset is None and call is None:
            continue
        time = reset.time if reset else call.start if call else 0
        host = facts.host_of(connection.server) or facts.host_of(connection.client)
        if facts.host_of(connection.server) is None and not _same_host(target):
            host = None
        why = absence(facts, host, target, "tcp", time)
        succeeded = connected.get((connection.client.host, target), 0) > time
        yield _finding(facts, connection, target, why, time, call, succeeded)


def _same_host(target: Endpoint) -> bool:
    return target.address.startswith("127.") or target.address == "::1"


def _latest_success(facts: Facts) -> dict[tuple[str | None, Endpoint], int]:
    """When each host last had a connection to an address; trying again until then was right."""
    latest: dict[tuple[str | None, Endpoint], int] = {}
    for connection in facts.connections:
        target = connection.server.endpoint
        if connection.outcome != "established" or target is None:
            continue
        times = [*(s.time for s in connection.segments[:1])]
        times += [c.start for c in connection.client.calls if c.name == "connect"]
        key = connection.client.host, target
        latest[key] = max([latest.get(key, 0), *times])
    return latest


def _finding(
    facts: Facts,
    connection: Connection,
    target: Endpoint,
    why: Absence,
    time: int,
    call: Call | None,
    succeeded: bool,
) -> Finding:
    client = facts.host_of(connection.client) or "a client"
    rst = [s for s in connection.segments if "RST" in s.flags or "SYN" in s.flags]
    events: list[Evidence] = [*([call] if call else []), *rst]
    holder = why.holder
    if holder:
        events += [c for c in (holder.bind, holder.listen) if c]
    blamed = holder.socket.host if holder else facts.host_of(connection.server)
    later = "; a later try succeeded" if succeeded else ""
    return Finding(
        rule=RULES[why.reason],
        level="info" if succeeded else "error",
        host=blamed or connection.client.host,
        time=time,
        key=(client, target, why.reason, holder.socket.id if holder else None),
        sentence=f"{client} was refused {facts.at(time)} when it connected to {target}:"
        f" {why.sentence}{later}",
        advice=why.advice,
        events=tuple(events),
        connections=(connection.id,),
    )
