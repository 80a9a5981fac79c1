"""The sentences where no rule knows better: errnos, what did not fail, what was never allowed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labctl.sequence.pattern import match
from labctl.sequence.pattern.elements import read_calls
from labctl.sequence.pattern.meaning.errnos import OF_ALL, OF_CALL, words_for
from labctl.sequence.pattern.meaning.never import never_meaning
from tests.unit.sequence.pattern.made import Clock, Told, call, connection
from tests.unit.sequence.pattern.meanings import case

CLIENT = "socket, connect, send+, recv+, close"
CASES = [
    case(
        "client",
        CLIENT,
        "connect send=5",
        "The first calls of client are missing: the socket was there before the recording began, "
        "so they could not be seen.",
        born=None,
    ),
    case(
        "client",
        CLIENT,
        "socket connect=ECONNREFUSED close",
        "connect failed with ECONNREFUSED: no socket listens on that port of that address: the "
        "server was not up yet, or bound another port or only 127.0.0.1.",
        outcome="refused",
    ),
    case(
        "client",
        CLIENT,
        "socket connect send=5 recvfrom=ECONNRESET close",
        "recvfrom failed with ECONNRESET: the peer reset the connection: it closed with unread "
        "data, or was ended.",
    ),
    case("client", CLIENT, "socket connect send=EUCLEAN", "send failed with EUCLEAN."),
    case(
        "client",
        "socket, connect=ECONNREFUSED, close",
        "socket connect close",
        "connect succeeded where connect=ECONNREFUSED was due.",
    ),
    case(
        "client",
        "socket, setsockopt, connect",
        "socket connect",
        "client: setsockopt was due, but connect came.",
    ),
    case("client", "socket, fork", "socket", "client: fork was due, but nothing more came."),
    case(
        "client",
        "socket",
        "socket fork splice=7",
        "client: splice = 7 came where the pattern has ended already.",
    ),
    case(
        "wire",
        "SYN, SYN-ACK|RST",
        "c>SYN c>FIN",
        "On the wire: SYN-ACK or RST was due, but client > FIN came.",
    ),
]


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.sentence[:50])
def test_what_it_means(one: Any) -> None:
    assert one.said() == one.sentence


@pytest.mark.parametrize(("verb", "errno"), OF_CALL)
def test_an_errno_of_a_call_is_explained_where_the_call_was_due(verb: str, errno: str) -> None:
    """Some rules know a better sentence; all others say what the errno means."""
    made = connection("", f"{verb}={errno}" if verb == "socket" else f"socket {verb}={errno}")
    wanted = [verb] if verb == "socket" else ["socket", verb]
    if errno == "EINPROGRESS":
        made = replace(made, outcome="exchange")  # so that nothing tells how it went out
    sentence = match({"client": wanted, "protocol": "tcp"}, Told(made)).failures[0].meaning
    if (verb, errno) != ("connect", "EISCONN"):  # which a rule knows better
        assert sentence == f"{verb} failed with {errno}: {OF_CALL[verb, errno]}."


def test_every_errno_is_one_that_patterns_know() -> None:
    for errno in {*OF_ALL, *(errno for _, errno in OF_CALL)}:
        read_calls(f"recv={errno}")
    assert words_for("recv", "ECONNRESET") == OF_CALL["recv", "ECONNRESET"]
    assert words_for("getsockopt", "EBADF") == OF_ALL["EBADF"]
    assert words_for("getsockopt", "EUCLEAN") == ""


@pytest.mark.parametrize(
    ("word", "protocol", "said"),
    [
        ("listen", "udp", "A socket of UDP has no connections to wait for: this one was made "),
        ("accept4", "udp", "A socket of UDP has no connections to take: recv gets the datagrams"),
        ("connect", "udp", "With UDP connect sends nothing; it fixes the peer, and datagrams of"),
        ("connect", "tcp", "connect is the active open, a client's; a server waits with listen"),
        ("listen", None, "listen makes a socket passive: the program waits to be called, as a"),
        ("accept", "tcp", "accept takes connections of others, as a server does."),
        ("bind", "tcp", "bind fixes the port; a client leaves it to the kernel, which chooses a"),
        ("bind=EADDRINUSE", "tcp", "EADDRINUSE: another socket has that port, or a connection of"),
        ("fork", "tcp", ""),
        ("bind", "udp", ""),
    ],
)
def test_a_call_that_should_never_be(word: str, protocol: str | None, said: str) -> None:
    found = never_meaning(call("server", word, Clock()), protocol)
    assert found.startswith(said) if said else found == ""
