"""The sentences on a server's passive open: socket, bind, listen, accept."""

from __future__ import annotations

import pytest

from labctl.sequence.events import Endpoint
from labctl.sequence.pattern.meaning import server
from tests.unit.sequence.pattern.meanings import Case, case, unsaid

S = "socket, bind, listen, accept, recv+, send+, close"

CASES = [
    case(
        "server",
        S,
        "",
        "server made no socket of this kind at all, so its kernel answered the call with RST: "
        "was its program running, and on the right host?",
        outcome="refused",
    ),
    case(
        "server",
        S,
        "",
        "server made no socket of this kind at all: did its program start, and was it "
        "observed from its start?",
        outcome="unanswered",
    ),
    case(
        "server",
        S,
        "socket listen bind=EINVAL accept",
        "bind was called after listen: the kernel had already given the socket an ephemeral "
        "port, and bind then fails with EINVAL (bind(2)).",
    ),
    case(
        "server",
        S,
        "socket listen accept",
        "bind is missing: listen without it gives the socket an ephemeral port (ip(7)), a new "
        "one each time, so that no client can know where to connect.",
    ),
    case(
        "server",
        S,
        "socket accept=EINVAL",
        "Neither bind nor listen was called before accept: the socket has no port and is not "
        "passive, so accept fails with EINVAL (accept(2)).",
    ),
    case(
        "server",
        S,
        "socket bind accept=EINVAL listen accept",
        "accept was called before listen: a socket that does not listen has no backlog to "
        "take connections from, and accept fails with EINVAL (accept(2)).",
    ),
    case(
        "server",
        S,
        "socket bind accept=EINVAL close",
        "listen is missing: bind gives the socket a port but leaves it closed; each connect "
        "to it is refused (RST), and accept fails with EINVAL (accept(2)).",
    ),
    case(
        "server",
        S,
        "socket bind connect",
        "server called connect where it should wait for connections: connect is the active "
        "open, a client's; a server's is passive: bind, listen, accept.",
    ),
    case(
        "server",
        S,
        "socket bind recv=ENOTCONN",
        "listen is missing: recv was called on a socket that is not connected and does not "
        "listen, so that no client can reach it.",
    ),
    case(
        "server",
        S,
        "socket bind close",
        "listen is missing: the socket was never made passive, and each connect to its port "
        "is refused (RST).",
    ),
    case(
        "server",
        S,
        "socket close",
        "bind is missing: the socket never got a port that a client could know.",
    ),
    case(
        "server",
        S,
        "socket bind listen recv=ENOTCONN",
        "recv was called where accept was due: a listening socket carries no data (ENOTCONN); "
        "accept returns a new socket for each connection, and that one does.",
    ),
    case(
        "server",
        S,
        "socket bind listen",
        "The client called another port than the one that server's socket is bound to, so "
        "accept had nothing to return.",
        outcome="refused",
        local=Endpoint("0.0.0.0", 81),
    ),
    case(
        "server",
        S,
        "socket bind listen",
        "server never accepted this connection: the kernel completed the handshake by itself, "
        "and the connection stayed in the backlog (listen(2)).",
    ),
    case(
        "server",
        S,
        "socket bind listen accept=blocked",
        "accept never returned: no connection reached server, which was still waiting for one "
        "at the end.",
        outcome="unanswered",
    ),
    case(
        "server",
        S,
        "socket bind listen",
        "server never called accept: connections that its kernel completes wait in the "
        "backlog, and no program reads what they send.",
        outcome="unanswered",
    ),
    case(
        "server",
        S,
        "socket bind listen close",
        "server closed its listening socket without accept: connections that waited in the "
        "backlog are reset.",
    ),
    case(
        "server",
        S,
        "socket bind bind=EINVAL",
        "bind was called a second time: a socket that has an address keeps it, and bind fails "
        "with EINVAL (bind(2)).",
    ),
    case(
        "server",
        S,
        "socket bind listen listen accept",
        "listen was called again: on a socket that listens already it only changes the backlog.",
    ),
]


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.sentence[:50])
def test_what_it_means(one: Case) -> None:
    assert one.said() == one.sentence


def test_every_rule_has_its_case() -> None:
    assert unsaid(server.RULES, CASES) == []
