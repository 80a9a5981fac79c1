"""A client that binds its socket to a port of its own choice before connect (ip(7))."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.sequence.arguments import endpoint
from labctl.sequence.diagnose.args import sets
from labctl.sequence.diagnose.diagnosis import Finding
from labctl.sequence.diagnose.facts import Facts


def client_bound_fixed_port(facts: Facts) -> Iterator[Finding]:
    """Say of TCP clients that they bound a port; with SO_REUSEADDR or _REUSEPORT it is meant."""
    for connection in facts.connections:
        if connection.protocol != "tcp":
            continue
        calls = connection.client.calls
        bind = next((c for c in calls if c.name == "bind" and not c.failed), None)
        local = endpoint(bind) if bind else None
        if bind is None or local is None or local.port == 0:
            continue
        meant = any(sets(c, "SO_REUSEADDR") or sets(c, "SO_REUSEPORT") for c in calls)
        connect = next((c for c in calls if c.name == "connect"), None)
        yield Finding(
            rule="client-bound-fixed-port",
            level="info" if meant else "warning",
            host=bind.host,
            time=bind.start,
            key=(bind.host, local),
            sentence=f"{facts.who(bind.host, bind.pid)} of {bind.host}, a client, bound its"
            f" descriptor {bind.fd} to port {local.port} {facts.at(bind.start)} before connect: a"
            f" second client on that host, or the next within 60 s, may find the port in use",
            advice="Leave bind out of a client: connect gives the socket a free ephemeral port.",
            events=(bind, *([connect] if connect else [])),
            connections=(connection.id,),
        )
