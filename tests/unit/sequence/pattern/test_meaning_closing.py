"""The sentences on connections that are not closed as wanted."""

from __future__ import annotations

import pytest

from labctl.sequence.pattern.meaning import closing
from tests.unit.sequence.pattern.meanings import Case, case, unsaid

S = "socket, bind, listen, accept, recv+, send+, close"
C = "socket, connect, send+, recv+, close"

CASES = [
    case(
        "server",
        S,
        "socket bind listen accept recv=5 send=5 recv=blocked",
        "close was never reached: server was still waiting in recv at the end; recv returns 0 "
        "only once client has closed or shut down its side.",
    ),
    case(
        "server",
        S,
        "socket bind listen accept recv=5 send=5 close=shared",
        "close was called, but another descriptor of the same socket was still open (a dup, "
        "or a forked process): no FIN is sent until the last one is closed.",
    ),
    case(
        "server",
        S,
        "socket bind listen accept recv=5 send=5",
        "close is missing: the socket was still open at the end, so that client saw no end of "
        "file; a program that goes on like this runs out of descriptors (EMFILE).",
        released=None,
    ),
    case(
        "server",
        S,
        "socket bind listen accept recv=5 send=5",
        "close is missing: the kernel closed the socket when the process ended; a program "
        "that runs on would keep the descriptor, and client would see no end of file.",
    ),
    case(
        "client",
        "socket, connect, send, shutdown, recv+, close",
        "socket connect send=5 close",
        "shutdown is missing: without SHUT_WR the peer sees no end of file while client can "
        "still receive; close ends both directions at once, and later data is answered with "
        "RST.",
    ),
    case(
        "client",
        C,
        "socket connect send=5 recv=5 shutdown close",
        "shutdown was called, which the pattern does not name: it is not wrong, it sends the "
        "FIN and keeps the descriptor until close; write `shutdown?` to allow it.",
    ),
    case(
        "server",
        "accept, recv, send, close",
        "accept recv=5 send=5 sendto=5",
        "server went on with sendto where it should have closed.",
    ),
    case(
        "client",
        C,
        "socket connect send=5 recv=5 close close",
        "close came in addition: the pattern has ended already.",
    ),
]


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.sentence[:50])
def test_what_it_means(one: Case) -> None:
    assert one.said() == one.sentence


def test_every_rule_has_its_case() -> None:
    assert unsaid(closing.RULES, CASES) == []
