"""The sentences on programs of UDP."""

from __future__ import annotations

import pytest

from labctl.sequence.pattern.meaning import datagrams
from tests.unit.sequence.pattern.meanings import Case, case, unsaid

CASES = [
    case(
        "server",
        "socket, bind, recv, send",
        "socket bind listen=EOPNOTSUPP",
        "listen was called on a socket of UDP: there are no connections to wait for, and it "
        "fails with EOPNOTSUPP (listen(2)); recv waits for datagrams.",
        protocol="udp",
    ),
    case(
        "server",
        "socket, bind, recv, send",
        "socket bind accept=EOPNOTSUPP",
        "accept was called on a socket of UDP: there are no connections to take, and it fails "
        "with EOPNOTSUPP (accept(2)); one socket serves all peers.",
        protocol="udp",
    ),
    case(
        "server",
        "socket, bind, recv, send",
        "",
        "server made no socket of UDP at all: did its program start, and with SOCK_DGRAM?",
        protocol="udp",
    ),
    case(
        "server",
        "socket, bind, recv, send",
        "socket recv=blocked recv=EAGAIN recv=5",
        "bind is missing: recv was called on a socket that has no port yet, so that no "
        "datagram can ever reach it (ip(7)).",
        protocol="udp",
    ),
    case(
        "server",
        "socket, bind, recv, send",
        "socket send=5",
        "bind is missing: the first send gives the socket an ephemeral port (ip(7)), which no "
        "client can know beforehand.",
        protocol="udp",
    ),
    case(
        "server",
        "socket, bind, recv, send",
        "socket close",
        "bind is missing: the socket never got a port that a client could know.",
        protocol="udp",
    ),
    case(
        "client",
        "socket, connect, send, recv",
        "socket send=5",
        "connect is missing: with UDP it sends nothing, but without it send must name its "
        "target each time (sendto), and a port unreachable is not reported to the program.",
        protocol="udp",
    ),
    case(
        "client",
        "socket, send, recv",
        "socket connect send=5",
        "connect was called on a socket of UDP: nothing is sent by it; it fixes the peer, and "
        "datagrams of all others are then dropped.",
        protocol="udp",
    ),
    case(
        "client",
        "socket, send, recv",
        "socket send=5 recv=ECONNREFUSED",
        "recv failed with ECONNREFUSED: an earlier datagram was answered by ICMP port "
        "unreachable, so no socket was bound to that port.",
        protocol="udp",
    ),
    case(
        "client",
        "socket, send, recv",
        "socket send=5 recv=blocked",
        "recv never returned: no answer came; with UDP nobody says that a datagram was lost, "
        "and the program must wait with a timeout and send again.",
        protocol="udp",
    ),
    case(
        "server",
        "socket, bind, recv, send",
        "socket bind recv=blocked",
        "recv never returned: no datagram reached server.",
        protocol="udp",
    ),
    case(
        "server",
        "socket, bind, recv, send",
        "socket bind",
        "server never received: the kernel keeps datagrams only until the receive buffer is "
        "full, and drops the rest without a word.",
        protocol="udp",
    ),
    case(
        "server",
        "socket, bind, recv, send",
        "socket bind recv=5",
        "server never sent an answer: a client that waits without a timeout waits for ever.",
        protocol="udp",
    ),
    case(
        "server",
        "socket, bind, (recv send)+",
        "socket bind recv=5 recv=5",
        "server received again where it should have sent: each datagram is one message, and "
        "the one before was left without an answer.",
        protocol="udp",
    ),
    case(
        "server",
        "socket, bind, (recv send)+",
        "socket bind send=5",
        "server sent a datagram where it should first have received one.",
        protocol="udp",
    ),
]


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.sentence[:50])
def test_what_it_means(one: Case) -> None:
    assert one.said() == one.sentence


def test_every_rule_has_its_case() -> None:
    assert unsaid(datagrams.RULES, CASES) == []
