"""What hosts did on each of their connections, and which connections a pattern is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labctl.sequence.connection import Connection
from labctl.sequence.events import Endpoint
from labctl.sequence.pattern import PatternError, match
from tests.unit.sequence.pattern.made import Told, calls, connection, socket

SERVER = "socket bind listen accept recv=5 send=5 close"
CLIENT = "socket connect send=5 recv=5 close"
FIGURE = {
    "server": ["socket", "bind", "listen", "accept", "recv+", "send+", "recv=0?", "close"],
    "client": ["socket", "connect", "send+", "recv+", "close"],
}


def to_port(port: int, made: Connection) -> Connection:
    return replace(made, server=replace(made.server, endpoint=Endpoint("10.0.0.2", port)))


def test_the_figure() -> None:
    verdict = match(FIGURE, Told(connection(SERVER, CLIENT)))
    assert verdict
    assert (verdict.connections, verdict.failing, verdict.failures) == (1, 0, ())
    assert str(verdict) == "as the pattern says: 1 connection"


def test_each_host_is_judged_by_itself() -> None:
    told = Told(connection(SERVER.replace(" listen", ""), CLIENT.replace(" send=5", "")))
    verdict = match(FIGURE, told)
    assert [failure.subject for failure in verdict.failures] == ["server", "client"]
    assert (verdict.connections, verdict.failing) == (1, 1)


def test_many_connections_each_by_itself() -> None:
    good = [connection(SERVER, CLIENT, number=n) for n in range(1, 6)]
    bad = [connection(SERVER.replace(" send=5", ""), CLIENT, number=n) for n in (6, 7)]
    other = connection(SERVER + " close=EBADF", CLIENT, number=8)
    verdict = match(FIGURE, Told(*good, *bad, other))
    assert (verdict.connections, verdict.failing) == (8, 3)
    assert [failure.connection for failure in verdict.failures] == [bad[0], other]
    assert [failure.more for failure in verdict.failures] == [1, 0]


def test_only_connections_between_the_named_hosts() -> None:
    third = connection("socket", "socket", number=2, hosts=("client", "directory"))
    told = Told(connection(SERVER, CLIENT), third, hosts=("client", "server", "directory"))
    assert match(FIGURE, told).connections == 1
    # Of one host all are meant, also those to others.
    assert match({"client": FIGURE["client"]}, told).connections == 2
    assert match({"wire": ["SYN?"]}, told).connections == 2


def test_only_connections_to_the_port() -> None:
    told = Told(to_port(80, connection(SERVER, CLIENT)), to_port(99, connection("socket", "bind")))
    assert not match(FIGURE, told)
    assert match({**FIGURE, "port": 80}, told)
    (failure,) = match({**FIGURE, "port": 81, "connections": 0}, told).failures or (None,)
    assert failure is None


def test_only_connections_of_the_protocol() -> None:
    udp = connection("socket", "socket", protocol="udp", outcome="exchange")
    assert match(FIGURE, Told(connection(SERVER, CLIENT), udp)).connections == 1


def test_a_host_that_talks_to_itself_is_both() -> None:
    made = connection(SERVER, CLIENT, hosts=("server", "server"))
    made = replace(made, client=replace(made.client, calls=calls("server", CLIENT)))
    told = Told(made, hosts=("server",))
    assert match({"server": FIGURE["server"]}, told)
    assert match({"server": FIGURE["client"]}, told)


@pytest.mark.parametrize(
    ("wanted", "there", "said"),
    [
        (2, 1, "2 connections were wanted, but there were 1."),
        (1, 3, "1 connection was wanted, but there were 3."),
        ("2+", 1, "at least 2 connections were wanted, but there were 1."),
        (0, 1, "0 connections were wanted, but there were 1."),
        (3, 3, ""),
        ("2+", 5, ""),
        (0, 0, ""),
    ],
)
def test_how_many_there_must_be(wanted: int | str, there: int, said: str) -> None:
    told = Told(*(connection(SERVER, CLIENT, number=n) for n in range(1, there + 1)))
    failures = match({**FIGURE, "connections": wanted}, told).failures
    assert [failure.meaning for failure in failures if failure.subject == "connections"] == (
        [said] if said else []
    )


NONE = [
    ({}, (), "No TCP connection between client and server was seen at all, so there was nothing"),
    ({"port": 80}, (), "between client and server to port 80 was seen at all, so there was"),
    (
        {"port": 81},
        (connection(SERVER, CLIENT),),
        "to port 81 was seen at all: there were only some to 80; is the pattern's port the right",
    ),
    (
        {},
        (connection("socket", "socket", protocol="udp", outcome="exchange"),),
        "was seen at all: there was only UDP; a program that should use the other protocol made "
        "its socket with the wrong type (SOCK_STREAM is TCP, SOCK_DGRAM is UDP).",
    ),
]


@pytest.mark.parametrize(("more", "there", "said"), NONE)
def test_why_there_was_none(more: dict[str, Any], there: tuple[Connection, ...], said: str) -> None:
    first = match({**FIGURE, **more}, Told(*there)).failures[0]
    assert first.subject == "connections"
    assert said in first.meaning


def test_a_server_that_nobody_could_reach_is_judged_by_its_socket() -> None:
    stray = calls("server", "socket bind accept=EINVAL close", socket=70)
    sockets = [socket("server", 70, local=Endpoint("0.0.0.0", 80))]
    refused = connection("", "socket connect=ECONNREFUSED close", outcome="refused")
    for told in (Told(refused, stray=stray, sockets=sockets), Told(stray=stray, sockets=sockets)):
        failure = next(f for f in match(FIGURE, told).failures if f.subject == "server")
        assert failure.meaning.startswith("listen is missing: bind gives the socket a port")
        assert failure.difference is not None and failure.difference.at == 2


def test_of_several_sockets_it_is_the_one_that_asked_for_the_port_in_vain() -> None:
    asked = calls("server", "socket listen bind=EINVAL", socket=71)
    asked = (*asked[:2], replace(asked[2], args={"address": "0.0.0.0:80"}))
    stray = (*calls("server", "socket bind listen accept=blocked", socket=72), *asked)
    sockets = [
        socket("server", 71, listening=True),
        socket("server", 72, local=Endpoint("0.0.0.0", 9999), listening=True),
    ]
    told = Told(stray=stray, sockets=sockets)
    by_port = match({**FIGURE, "port": 80}, told).failures
    said = next(f for f in by_port if f.subject == "server").meaning
    assert said.startswith("bind was called after listen")


def test_of_several_sockets_it_is_the_one_for_the_port() -> None:
    stray = (
        *calls("server", "socket connect close", socket=70),
        *calls("server", "socket bind close", socket=71),
        *calls("server", "socket bind listen close", socket=72),
    )
    ports = {70: 5555, 71: 80, 72: 9999}
    sockets = [
        socket("server", number, local=Endpoint("0.0.0.0", port), listening=number == 72)
        for number, port in ports.items()
    ]
    told = Told(stray=stray, sockets=sockets)
    by_port = match({**FIGURE, "port": 80}, told).failures
    assert "listen is missing" in next(f for f in by_port if f.subject == "server").meaning
    listening = match(FIGURE, told).failures
    assert "accept" in next(f for f in listening if f.subject == "server").meaning


def test_a_host_with_no_part_in_any_connection_is_told() -> None:
    told = Told(
        connection(SERVER, CLIENT),
        stray=calls("peer", "socket", socket=50),
        sockets=[socket("peer", 50)],
        hosts=("client", "server", "peer"),
    )
    verdict = match({**FIGURE, "peer": ["socket"]}, told)
    (failure,) = verdict.failures
    assert failure.meaning == "peer had no part in any of the connections."


def test_a_host_that_was_not_observed() -> None:
    told = Told(connection(SERVER, CLIENT))
    with pytest.raises(PatternError) as caught:
        match({"clint": ["socket"]}, told)
    assert str(caught.value) == ("clint: no host `clint` was observed (did you mean `client`?)")
    assert caught.value.key
    for pattern, path in (
        ({"never": {"q": ["connect"]}}, ("never", "q")),
        ({"before": [["server.bind.call", "q.bind.call"]]}, ("before", 0, 1)),
        ({"wire": ["SYN", "q>FIN"]}, ("wire", 1)),
    ):
        with pytest.raises(PatternError) as caught:
            match(pattern, told)
        assert caught.value.path == path
        assert caught.value.hint == "hosts: client, server"


def test_a_mistyped_key_is_taken_for_no_host() -> None:
    with pytest.raises(PatternError) as caught:
        match({**FIGURE, "befor": ["recv"]}, Told(connection(SERVER, CLIENT)))
    assert caught.value.hint == "did you mean `before`?"
