"""Datagrams that a host had nobody for: ICMP port unreachable (RFC 1122, 4.1.3.1)."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.sequence.diagnose.absence import absence
from labctl.sequence.diagnose.diagnosis import Evidence, Finding
from labctl.sequence.diagnose.facts import Facts


def port_unreachable(facts: Facts) -> Iterator[Finding]:
    """Say of every UDP exchange that was refused why nobody took its datagrams."""
    for connection in facts.connections:
        target = connection.server.endpoint
        if connection.protocol != "udp" or connection.outcome != "refused" or target is None:
            continue
        first = connection.segments[0] if connection.segments else None
        answer = next((s for s in connection.segments if s.protocol == "icmp"), None)
        call = next((c for c in connection.client.calls if c.errno == "ECONNREFUSED"), None)
        if first is None and call is None:
            continue
        time = first.time if first else call.start if call else 0
        why = absence(facts, facts.host_of(connection.server), target, "udp", time)
        holder = why.holder
        blamed = holder.socket.host if holder else facts.host_of(connection.server)
        client = facts.host_of(connection.client) or "a client"
        told = f", of which {call.name} told it by ECONNREFUSED" if call else ""
        events: tuple[Evidence | None, ...] = (first, answer, call, holder.bind if holder else None)
        yield Finding(
            rule="port-unreachable",
            level="error",
            host=blamed or connection.client.host,
            time=time,
            key=(client, target, why.reason),
            sentence=f"{client} sent a datagram to {target} {facts.at(time)} that came back as"
            f" ICMP port unreachable{told}: {why.sentence}",
            advice=why.advice,
            events=tuple(event for event in events if event),
            connections=(connection.id,),
        )
