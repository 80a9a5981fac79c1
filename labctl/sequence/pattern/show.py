"""Events, times and connections in the few words that a report has room for."""

from __future__ import annotations

from labctl.sequence.connection import Connection, Side
from labctl.sequence.events import Call, Segment
from labctl.sequence.pattern.signs import Sign, Token
from labctl.sequence.verbs import verb

_QUIET = frozenset({"bind", "listen", "connect", "shutdown", "close", "setsockopt"})
"""Verbs whose 0 says nothing but that they did it."""


def call_text(call: Call) -> str:
    """Return a call with its address and result: `connect 10.0.0.1:80 = ECONNREFUSED`."""
    address = call.args.get("address")
    named = f" {address}" if isinstance(address, str) else ""
    if call.result is None:
        return f"{call.name}{named}, never returned"
    if call.errno:
        return f"{call.name}{named} = {call.errno}"
    if verb(call.name) == "recv" and call.result == 0:
        return f"{call.name}{named} = 0 (end of file)"
    if verb(call.name) in _QUIET and call.result == 0:
        return f"{call.name}{named}"
    return f"{call.name}{named} = {call.result}"


def token_text(token: Token) -> str:
    """Return a call, or a segment with its sender and its bytes: `client > data (512 bytes)`."""
    if isinstance(token.event, Call):
        return call_text(token.event)
    return segment_text(token.sign, token.event)


def segment_text(sign: Sign, segment: Segment) -> str:
    """Return a segment with its sender: `client > SYN`."""
    size = f" ({segment.length} bytes)" if sign.verb in ("data", "datagram") else ""
    lost = "" if segment.received else ", never arrived"
    sender = f"{sign.sender} > " if sign.sender else ""
    return f"{sender}{sign.verb}{size}{lost}"


def bytes_of(event: Call | Segment) -> int:
    """Return how many bytes a call transferred, or a segment carries."""
    if isinstance(event, Segment):
        return event.length
    return max(event.result or 0, 0)


def time_of(event: Call | Segment) -> int:
    """Return when a call was entered, or a segment first seen; nanoseconds since the epoch."""
    return event.start if isinstance(event, Call) else event.time


def milliseconds(ns: int) -> str:
    """Return nanoseconds as milliseconds, to the microsecond: `1.250 ms`."""
    return f"{ns / 1e6:.3f} ms"


def connection_text(connection: Connection) -> str:
    """Return a connection in one line."""
    ends = f"{_end(connection.client)} -> {_end(connection.server)}"
    return f"connection {connection.id}: {ends}, {connection.protocol}, {connection.outcome}"


def _end(side: Side) -> str:
    return " ".join(str(part) for part in (side.host, side.endpoint) if part) or "unknown"


def count(number: int, thing: str) -> str:
    """Return `1 call`, `2 calls`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
