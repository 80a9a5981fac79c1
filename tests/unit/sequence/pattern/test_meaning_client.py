"""The sentences on a client's active open: socket, connect."""

from __future__ import annotations

import pytest

from labctl.sequence.pattern.meaning import client
from tests.unit.sequence.pattern.meanings import Case, case, unsaid

C = "socket, connect, send+, recv+, close"

CASES = [
    case(
        "client",
        "socket, bind, connect",
        "socket connect bind=EINVAL",
        "connect was called before bind: connect had already given the socket an ephemeral "
        "port, and bind then fails with EINVAL (bind(2)).",
    ),
    case(
        "client",
        "socket, bind, connect",
        "socket connect",
        "connect was called without bind: the kernel chose the source address and an "
        "ephemeral port by itself, not the port that was wanted.",
    ),
    case(
        "client",
        C,
        "socket bind connect",
        "A client called bind: that is not wrong, but it fixes the port, so that a second run "
        "can fail with EADDRINUSE while the first connection is in TIME_WAIT; without bind "
        "the kernel chooses a free ephemeral port.",
    ),
    case(
        "client",
        C,
        "socket listen",
        "client called listen where connect was due: it waits to be called itself, so that "
        "nobody makes the active open.",
    ),
    case(
        "client",
        C,
        "socket sendto=EPIPE connect",
        "sendto was called before connect: the socket had no peer yet, and sendto fails with "
        "ENOTCONN or EPIPE.",
    ),
    case(
        "client",
        C,
        "socket sendto=EPIPE close",
        "connect is missing: sendto was called on a socket that has no peer.",
    ),
    case(
        "client",
        C,
        "socket connect connect=EISCONN",
        "connect was called a second time on a socket that is connected already (EISCONN): a "
        "new connection needs a new socket.",
    ),
    case(
        "client",
        C,
        "socket connect connect",
        "connect was called twice on one socket: a TCP socket has one connection in its life; "
        "another one needs another socket.",
    ),
    case(
        "client",
        C,
        "socket connect=blocked",
        "connect never returned: no answer came to its SYN, which the kernel repeats for "
        "about two minutes (tcp(7), tcp_syn_retries).",
        outcome="unanswered",
    ),
    case(
        "client",
        C,
        "socket close",
        "client never called connect: it made a socket, but no active open.",
    ),
    case(
        "client",
        "socket, connect=ECONNREFUSED, close",
        "socket connect=ECONNREFUSED sendto=EPIPE close",
        "sendto was called although connect had failed: client did not look at what connect "
        "returned; a socket without a peer is good for nothing but close.",
        outcome="refused",
    ),
    case(
        "client",
        "socket, connect=ECONNREFUSED, close",
        "socket connect=ECONNREFUSED",
        "client did not close the socket after connect had failed: what state it is in then is "
        "not specified, and each further try needs a new socket (connect(2)).",
        outcome="refused",
    ),
]


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.sentence[:50])
def test_what_it_means(one: Case) -> None:
    assert one.said() == one.sentence


def test_every_rule_has_its_case() -> None:
    assert unsaid(client.RULES, CASES) == []
