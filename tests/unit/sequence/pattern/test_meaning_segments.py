"""The sentences on segments."""

from __future__ import annotations

import pytest

from labctl.sequence.pattern.meaning import segments
from tests.unit.sequence.pattern.meanings import Case, case, unsaid

CASES = [
    case(
        "wire",
        "SYN, SYN-ACK, ACK",
        "",
        "No packet of this connection was captured at all.",
    ),
    case(
        "wire",
        "SYN, SYN-ACK, ACK",
        "c>SYN s>RST",
        "The SYN was answered with RST: no socket listens on that port, and connect fails "
        "with ECONNREFUSED.",
    ),
    case(
        "wire",
        "SYN, SYN-ACK, ACK",
        "c>SYN!",
        "The SYN was never answered: it, or its answer, was dropped on the way, or nobody has "
        "that address; connect waits until it times out (ETIMEDOUT).",
    ),
    case(
        "wire",
        "datagram+",
        "c>datagram s>port-unreachable",
        "The datagram was answered by ICMP port unreachable: no socket of UDP is bound to "
        "that port (RFC 1122, 4.1.3.1).",
        protocol="udp",
    ),
    case(
        "wire",
        "datagram+",
        "c>datagram s>time-exceeded",
        "A router dropped the packet because its TTL had come to 0: the way is too long, or "
        "it goes round in a circle (RFC 792).",
        protocol="udp",
    ),
    case(
        "wire",
        "datagram+",
        "c>datagram s>host-unreachable",
        "A router or host answered by ICMP that the packet cannot be delivered (RFC 792).",
        protocol="udp",
    ),
    case(
        "wire",
        "SYN, SYN-ACK, ACK, server>data",
        "c>SYN s>SYN-ACK c>ACK c>data",
        "The data that was due should have come from the other host.",
    ),
    case(
        "wire",
        "SYN, SYN-ACK, ACK, data, FIN, FIN",
        "c>SYN s>SYN-ACK c>ACK c>data s>RST",
        "The connection was reset instead of closed: one side closed with unread data, closed "
        "with SO_LINGER 0, or sent to a socket that was gone already.",
    ),
    case(
        "wire",
        "SYN, SYN-ACK, ACK, FIN",
        "c>SYN s>SYN-ACK c>ACK c>FIN s>RST",
        "RST came after FIN: data arrived at a host whose socket had been closed, or whose "
        "receive buffer had unread data when it was closed.",
    ),
    case(
        "wire",
        "SYN, SYN-ACK, ACK, data, FIN",
        "c>SYN s>SYN-ACK c>ACK s>RST",
        "The connection was reset: the program at that end closed it with unread data, was "
        "ended, or the socket was gone already.",
    ),
    case(
        "wire",
        "SYN, SYN-ACK, ACK, FIN, FIN",
        "c>SYN s>SYN-ACK c>ACK c>FIN",
        "Only one side sent FIN: the connection stayed half open (FIN-WAIT-2 and CLOSE-WAIT), "
        "because the other program never closed its socket.",
    ),
    case(
        "wire",
        "SYN, SYN-ACK, ACK, FIN, FIN",
        "c>SYN s>SYN-ACK c>ACK",
        "No FIN was sent: neither program closed its socket while it was observed.",
    ),
    case(
        "wire",
        "SYN, SYN-ACK, ACK, data, FIN",
        "c>SYN s>SYN-ACK c>ACK c>data c>data",
        "Data was still sent where the connection should have been closed.",
    ),
    case(
        "wire",
        "SYN, SYN-ACK, ACK, data, FIN",
        "c>SYN s>SYN-ACK c>ACK c>FIN",
        "The connection was closed before the data that was due was sent.",
    ),
    case(
        "wire",
        "SYN, SYN-ACK, ACK",
        "c>SYN s>SYN-ACK",
        "The handshake was never completed: the SYN-ACK was sent, but its ACK never came.",
    ),
    case(
        "wire",
        "SYN, SYN-ACK, ACK, data, ACK, data",
        "c>SYN s>SYN-ACK c>ACK c>data s>data",
        "No ACK by itself was sent here: it was carried by the next segment with data or FIN "
        "(RFC 9293, 3.8.6.3); write `ACK?` to allow both.",
    ),
    case(
        "wire",
        "SYN, SYN-ACK, ACK",
        "c>data",
        "The SYN was not captured: the connection was there before the capture began.",
    ),
    case(
        "wire",
        "SYN, SYN-ACK, ACK, data",
        "c>SYN s>SYN-ACK c>ACK",
        "No data was sent where it was due.",
    ),
    case(
        "wire",
        "datagram, datagram",
        "c>datagram",
        "No further datagram was sent; where it was an answer, its client waits in vain.",
        protocol="udp",
    ),
    case(
        "wire",
        "datagram",
        "c>datagram c>datagram",
        "More datagrams were sent than the pattern allows.",
        protocol="udp",
    ),
]


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.sentence[:50])
def test_what_it_means(one: Case) -> None:
    assert one.said() == one.sentence


def test_every_rule_has_its_case() -> None:
    assert unsaid(segments.RULES, CASES) == []
