"""The kernel completes handshakes; accept only takes what is complete (listen(2), accept(2))."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.sequence.diagnose.diagnosis import Finding
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.diagnose.handshakes import acknowledged
from labctl.sequence.diagnose.words import span


def handshake_before_accept(facts: Facts) -> Iterator[Finding]:
    """Say of connections that were complete before accept was called how long they waited."""
    for connection in facts.connections:
        final = acknowledged(connection)
        accept = next((c for c in connection.server.calls if c.name.startswith("accept")), None)
        if final is None or accept is None or connection.server.socket is None:
            continue
        segment, done = final
        waited = accept.start - done
        if waited <= 0:
            continue
        queue = connection.server.socket.listener
        yield Finding(
            rule="handshake-before-accept",
            level="info",
            host=accept.host,
            time=done,
            key=(accept.host, queue),
            sentence=f"the kernel of {accept.host} completed the handshake with"
            f" {facts.name(connection.client)} {facts.at(done)}; accept was called {span(waited)}"
            f" later: so long the connection waited in the accept queue",
            advice="Nothing is wrong: after listen the kernel makes connections by itself, and"
            " accept takes the next one from the queue.",
            events=(segment, accept),
            connections=(connection.id,),
            weight=waited,
        )
