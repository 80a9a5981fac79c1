"""What an ICMP error is caused by, and what it causes (RFC 792; icmp errors in ip(7))."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.sequence.connection import Connection
from labctl.sequence.icmp import quoted, unreachable
from labctl.sequence.moment_key import Cause, exit_of, received, sent
from labctl.sequence.streams import arrival

_TOLD = frozenset({"EHOSTUNREACH", "ENETUNREACH", "ECONNREFUSED"})


def of_icmp(connection: Connection) -> Iterator[Cause]:
    """Yield the causes of one connection or exchange.

    A host answers a packet with an error when the packet has come; a call fails when an error
    has. Which of several it was is not known, but none before the first.
    """
    errors = [segment for segment in connection.segments if segment.protocol == "icmp"]
    for error in errors:
        about = quoted(error)
        if about is not None and about.target.address == error.source.address:
            came = [s for s in connection.segments if s.target == about.target and s.received]
            if came:
                yield received(min(came, key=arrival)), sent(error)
    if any("RST" in segment.flags for segment in connection.segments):
        return
    for side in connection.sides:
        told = [
            error
            for error in errors
            if error.received and side.endpoint and error.target.address == side.endpoint.address
        ]
        first = min(filter(unreachable, told), key=arrival, default=None)
        if first is not None:
            yield from ((received(first), exit_of(c)) for c in side.calls if c.errno in _TOLD)
