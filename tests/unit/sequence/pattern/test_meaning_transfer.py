"""The sentences on data that is not sent and received as wanted."""

from __future__ import annotations

import pytest

from labctl.sequence.pattern.meaning import transfer
from tests.unit.sequence.pattern.meanings import Case, case, unsaid

S = "socket, bind, listen, accept, recv+, send+, close"
C = "socket, connect, send+, recv+, close"

CASES = [
    case(
        "server",
        "accept, recv, send, shutdown, close",
        "accept recv=5 send=5 shutdown send=EPIPE",
        "send was called after shutdown: with SHUT_WR the program has said that nothing more "
        "comes, so send fails with EPIPE, and SIGPIPE ends a program that does not handle it.",
    ),
    case(
        "server",
        S,
        "socket bind listen accept recv=blocked",
        "recv never returned: server was still waiting for data from client at the end; where "
        "the peer waits too, neither will ever go on.",
    ),
    case(
        "client",
        C,
        "socket connect send=blocked",
        "send never returned: the peer does not read, so that its receive window and client's "
        "send buffer are full (tcp(7)).",
    ),
    case(
        "server",
        S,
        "socket bind listen accept recv=5 recv=blocked",
        "server still waited in recv where it should have sent: if client waits for that, "
        "each waits for the other for ever.",
    ),
    case(
        "server",
        "accept, recv+, recv=0, close",
        "accept recv=5 close",
        "server closed without having read the end of file: it did not wait until client had "
        "sent everything and closed; what still comes is answered with RST.",
    ),
    case(
        "server",
        "accept, recv+, recv=0, close",
        "accept recv=5",
        "server never read the end of file (recv = 0): it cannot know whether client had sent "
        "everything.",
    ),
    case(
        "server",
        "accept, recv, recv=0, close",
        "accept recv=5 recv=5",
        "recv returned data where the end of file (0) was due: client sent more, or in more "
        "pieces, than the pattern allows; TCP keeps no message boundaries.",
    ),
    case(
        "client",
        "socket, connect, send, recv=100, close",
        "socket connect send=5 read=30 read=70 close",
        "read returned fewer bytes than were due, a short read: TCP keeps no message "
        "boundaries, so a program must call it until it has the whole message.",
    ),
    case(
        "server",
        S,
        "socket bind listen accept send=5",
        "server sent before it had received the request: it cannot have read what client asks.",
    ),
    case(
        "client",
        "socket, connect, send, recv, close",
        "socket connect send=5 send=5",
        "client sent again where it should have received: the answer of server waits unread "
        "in the receive buffer.",
    ),
    case(
        "server",
        "accept, recv, send, close",
        "accept recv=5 recv=5",
        "server went on to receive where it should have answered: a client that waits for the "
        "answer sends nothing, and both wait for ever.",
    ),
    case(
        "client",
        C,
        "socket connect recv=5",
        "client received before it had sent its request: a server that waits for the request "
        "sends nothing first, and both wait for ever.",
    ),
    case(
        "server",
        S,
        "socket bind listen accept close",
        "server closed before it had read what client sent: close with unread data sends RST, "
        "and the peer may lose even the answer that it was already sent (RFC 9293, 3.6.1).",
    ),
    case(
        "client",
        C,
        "socket connect send=5 close",
        "client closed before it had received the answer: data that arrives afterwards, or "
        "lies unread, is answered with RST.",
    ),
    case(
        "server",
        S,
        "socket bind listen accept recv=5 close",
        "server closed without an answer: all that client gets is the end of file (recv = 0).",
    ),
    case(
        "client",
        C,
        "socket connect close",
        "client closed without having sent its request: all that server gets is the end of "
        "file (recv = 0).",
    ),
    case(
        "server",
        S,
        "socket bind listen accept",
        "server never received: what client sent lies unread in its receive buffer.",
    ),
    case(
        "server",
        S,
        "socket bind listen accept recv=5",
        "server never sent anything here: client, if it waits in recv, waits for ever.",
    ),
]


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.sentence[:50])
def test_what_it_means(one: Case) -> None:
    assert one.said() == one.sentence


def test_every_rule_has_its_case() -> None:
    assert unsaid(transfer.RULES, CASES) == []
