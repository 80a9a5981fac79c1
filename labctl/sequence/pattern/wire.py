"""The segments of a connection, as the tokens that a pattern is matched against."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from labctl.sequence.connection import Connection
from labctl.sequence.events import Segment
from labctl.sequence.pattern.signs import Sign, Token
from labctl.sequence.pattern.words import DATAGRAM, ICMP, ICMP_ANY


def tokens(connection: Connection) -> list[Token]:
    """Return the tokens of a connection's segments, in the order in which they were first seen.

    Retransmissions don't count. An ACK without anything else may be passed over.
    """
    found: list[Token] = []
    for segment, carried in labelled(connection):
        if not segment.retransmission:
            sender = sender_of(segment, connection)
            found += [Token(_sign(word, sender), segment) for word in carried]
    return found


@lru_cache(maxsize=1024)
def _sign(word: str, sender: str | None) -> Sign:
    return Sign(word, sender=sender, free=word == "ACK")


def labelled(connection: Connection) -> Iterator[tuple[Segment, tuple[str, ...]]]:
    """Yield each segment of a connection with the words for what it carries.

    The third segment of the handshake is an ACK also where it carries data or a FIN already.
    """
    answered = False
    for segment in connection.segments:
        carried = words(segment)
        opener = segment.source == connection.client.endpoint
        if answered and opener and "ACK" in segment.flags and not segment.retransmission:
            answered = False
            if "RST" not in carried and carried != ("ACK",):
                carried = ("ACK", *carried)
        answered = answered or "SYN-ACK" in carried
        yield segment, carried


def words(segment: Segment) -> tuple[str, ...]:
    """Return the words for what a segment carries, in the order of its sequence numbers."""
    if segment.protocol == "udp":
        return (DATAGRAM,)
    if segment.protocol == "icmp":
        return (_icmp(segment.about),)
    return _of_tcp(segment.flags, segment.length > 0)


@lru_cache(maxsize=1024)
def _of_tcp(flags: tuple[str, ...], data: bool) -> tuple[str, ...]:
    if "RST" in flags:
        return ("RST",)
    syn = "SYN-ACK" if "ACK" in flags else "SYN"
    found = ((syn, "SYN" in flags), ("data", data), ("FIN", "FIN" in flags))
    return tuple(word for word, there in found if there) or ("ACK",)


def _icmp(about: str) -> str:
    said = about.lower()
    return next((word for word, texts in ICMP.items() if said.startswith(texts)), ICMP_ANY)


def sender_of(segment: Segment, connection: Connection) -> str | None:
    """Return the host that sent a segment of a connection, None where it was not observed."""
    for side in connection.sides:
        if side.endpoint is not None and segment.source == side.endpoint and side.host:
            return side.host
    return segment.sent.host if segment.sent else None
