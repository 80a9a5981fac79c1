"""What it means when the segments on the wire are not as wanted (RFC 9293)."""

from __future__ import annotations

from labctl.sequence.pattern.difference import Difference
from labctl.sequence.pattern.meaning.rule import ENDED, Rule


def _other_sender(d: Difference) -> bool:
    return any(
        atom.name == d.real and d.sign is not None and atom.sender != d.sign.sender
        for atom in d.wanted
    )


RULES = (
    Rule(
        lambda d: not d.tokens,
        "No packet of this connection was captured at all.",
    ),
    Rule(
        lambda d: d.wants("SYN-ACK") and d.real == "RST",
        "The SYN was answered with RST: no socket listens on that port, and connect fails with "
        "ECONNREFUSED.",
    ),
    Rule(
        lambda d: d.wants("SYN-ACK") and d.real == ENDED,
        "The SYN was never answered: it, or its answer, was dropped on the way, or nobody has "
        "that address; connect waits until it times out (ETIMEDOUT).",
    ),
    Rule(
        lambda d: d.is_icmp() and d.real == "port-unreachable",
        "The datagram was answered by ICMP port unreachable: no socket of UDP is bound to that "
        "port (RFC 1122, 4.1.3.1).",
    ),
    Rule(
        lambda d: d.is_icmp() and d.real == "time-exceeded",
        "A router dropped the packet because its TTL had come to 0: the way is too long, or it "
        "goes round in a circle (RFC 792).",
    ),
    Rule(
        lambda d: d.is_icmp(),
        "A router or host answered by ICMP that the packet cannot be delivered (RFC 792).",
    ),
    Rule(
        _other_sender,
        "The {due} that was due should have come from the other host.",
    ),
    Rule(
        lambda d: d.due == "FIN" and d.real == "RST",
        "The connection was reset instead of closed: one side closed with unread data, closed "
        "with SO_LINGER 0, or sent to a socket that was gone already.",
    ),
    Rule(
        lambda d: d.real == "RST" and d.earlier("FIN"),
        "RST came after FIN: data arrived at a host whose socket had been closed, or whose "
        "receive buffer had unread data when it was closed.",
    ),
    Rule(
        lambda d: d.real == "RST",
        "The connection was reset: the program at that end closed it with unread data, was "
        "ended, or the socket was gone already.",
    ),
    Rule(
        lambda d: d.due == "FIN" and d.real == ENDED and d.earlier("FIN"),
        "Only one side sent FIN: the connection stayed half open (FIN-WAIT-2 and CLOSE-WAIT), "
        "because the other program never closed its socket.",
    ),
    Rule(
        lambda d: d.due == "FIN" and d.real == ENDED,
        "No FIN was sent: neither program closed its socket while it was observed.",
    ),
    Rule(
        lambda d: d.due == "FIN" and d.real == "data",
        "Data was still sent where the connection should have been closed.",
    ),
    Rule(
        lambda d: d.due == "data" and d.real == "FIN",
        "The connection was closed before the data that was due was sent.",
    ),
    Rule(
        lambda d: d.due == "ACK" and d.real == ENDED and not d.earlier("data", "FIN"),
        "The handshake was never completed: the SYN-ACK was sent, but its ACK never came.",
    ),
    Rule(
        lambda d: d.due == "ACK",
        "No ACK by itself was sent here: it was carried by the next segment with data or FIN "
        "(RFC 9293, 3.8.6.3); write `ACK?` to allow both.",
    ),
    Rule(
        lambda d: d.due == "SYN" and d.scene.protocol == "tcp",
        "The SYN was not captured: the connection was there before the capture began.",
    ),
    Rule(
        lambda d: d.due == "data" and d.real == ENDED,
        "No data was sent where it was due.",
    ),
    Rule(
        lambda d: d.due == "datagram" and d.real == ENDED,
        "No further datagram was sent; where it was an answer, its client waits in vain.",
    ),
    Rule(
        lambda d: d.real == "datagram" and not d.wanted,
        "More datagrams were sent than the pattern allows.",
    ),
)
