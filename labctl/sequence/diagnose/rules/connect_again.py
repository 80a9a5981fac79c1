"""A connect on a socket on which one has failed already (connect(2), NOTES)."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.sequence.diagnose.diagnosis import Finding
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.diagnose.ports import kind
from labctl.sequence.opens import attempts
from labctl.sequence.pattern.calls import BEGUN


def connect_again(facts: Facts) -> Iterator[Finding]:
    """Say of TCP sockets that connect was tried again on them after it had failed."""
    for number, calls in facts.socket_calls.items():
        socket = facts.sockets.get(number)
        if socket is None or kind(socket) != "tcp" or "INET" not in socket.family:
            continue
        tries = attempts(calls)
        first = next((c for c in tries[:-1] if c.failed and c.errno not in BEGUN), None)
        if first is None:
            continue
        again = tries[tries.index(first) + 1]
        ids = (c.id for c in facts.connections if c.client.socket and c.client.socket.id == number)
        yield Finding(
            rule="connect-again",
            level="warning",
            host=again.host,
            time=again.start,
            key=(again.host, again.pid),
            sentence=f"{facts.who(again.host, again.pid)} of {again.host} called connect again on"
            f" descriptor {again.fd} {facts.at(again.start)}, on which connect had failed with"
            f" {first.errno}: Linux lets it, but what state the socket is in then is not specified",
            advice="Close the socket after a connect that failed, and make a new one for each try.",
            events=tuple(tries),
            connections=tuple(ids),
            thing="socket",
        )
