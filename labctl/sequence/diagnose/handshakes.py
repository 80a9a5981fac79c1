"""When handshakes were complete, as the wire shows it."""

from __future__ import annotations

from labctl.sequence.connection import Connection
from labctl.sequence.diagnose.facts import arrival
from labctl.sequence.events import Segment


def acknowledged(connection: Connection) -> tuple[Segment, int] | None:
    """Return the segment that completed a TCP handshake, and when it came to the server.

    That is the client's first segment after the SYN-ACK that arrived: its ACK, or data with an
    ACK where the ACK itself was lost. None where no handshake was seen to be completed.
    """
    if connection.protocol != "tcp" or connection.outcome != "established":
        return None
    answered = False
    for segment in connection.segments:
        if "SYN" in segment.flags:
            answered = answered or "ACK" in segment.flags
        elif answered and segment.source == connection.client.endpoint:
            time = arrival(segment)
            if time is not None and "RST" not in segment.flags:
                return segment, time
    return None
