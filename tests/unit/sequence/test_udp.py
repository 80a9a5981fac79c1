"""UDP exchanges put together: which calls and which datagrams are between the same two."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from labctl.sequence.connection import Connection
from labctl.sequence.events import Call
from labctl.sequence.timeline import Timeline
from tests.unit.sequence.build import Story, Thread
from tests.unit.sequence.exchanges import CLIENT, SERVER, datagrams

OWN, OTHER = f"{CLIENT}:50000", f"{SERVER}:53"


def two() -> Story:
    return Story(client=CLIENT, server=SERVER)


def names(calls: Iterable[Call]) -> list[str]:
    return [call.name for call in calls]


def made(story: Story) -> list[Connection]:
    return [*Timeline.of(story.recording()).connections]


def udp_socket(thread: Thread, fd: int = 3, address: str | None = None) -> None:
    thread.call("socket", result=fd, family="AF_INET", type="SOCK_DGRAM")
    if address:
        thread.call("bind", fd, address=address)


def say(thread: Thread, source: str, target: str, length: int, fd: int = 3, **told: Any) -> None:
    """Send one datagram that arrives."""
    call = thread.begin("sendto", fd, length=length, **told)
    thread.story.segment(source, target, protocol="udp", length=length)
    thread.end(call, length)


def port_unreachable(story: Story, by: str, to: str, target: str) -> None:
    story.segment(f"{by}:0", f"{to}:0", protocol="icmp", about=f"port unreachable {target} udp")


@pytest.mark.parametrize("told", [True, False])
def test_questions_and_answers_are_one_exchange(told: bool) -> None:
    (only,) = Timeline.of(datagrams(count=3, told=told)).connections
    assert (only.protocol, only.outcome, len(only.segments)) == ("udp", "exchange", 6)
    assert [str(side.endpoint) for side in only.sides] == [OWN, OTHER]
    assert names(only.client.calls) == ["socket", *["sendto", "recvfrom"] * 3, "close"]
    assert names(only.server.calls) == ["socket", "bind", *["recvfrom", "sendto"] * 3, "close"]
    assert only.client.socket is not None
    assert str(only.client.socket.local) in (OWN, "0.0.0.0:50000")


def test_one_way() -> None:
    (only,) = Timeline.of(datagrams(count=2, answered=False)).connections
    assert (only.outcome, len(only.segments)) == ("exchange", 2)
    assert names(only.server.calls) == ["socket", "bind", "recvfrom", "recvfrom", "close"]


@pytest.mark.parametrize("told", [True, False])
def test_one_server_with_many_clients(told: bool) -> None:
    story = two()
    server = story.thread("server", 10)
    udp_socket(server, 3, "0.0.0.0:53")
    clients = [story.thread("client", 100 + n) for n in range(5)]
    for client in clients:
        udp_socket(client)
    for number, client in enumerate(clients):
        own = f"{CLIENT}:{50000 + number}"
        to_server: dict[str, Any] = {"address": OTHER} if told else {}
        to_client: dict[str, Any] = {"address": own} if told else {}
        say(client, own, OTHER, 10 + number, **to_server)
        server.call("recvfrom", 3, 10 + number, length=2048, **to_client)
        say(server, OTHER, own, 20 + number, **to_client)
        client.call("recvfrom", 3, 20 + number, length=2048, **to_server)
    server.call("close", 3)
    exchanges = made(story)
    assert len(exchanges) == 5
    for number, one in enumerate(exchanges):
        assert {c.pid for c in one.client.calls} == {100 + number}
        assert names(one.server.calls) == ["socket", "bind", "recvfrom", "sendto", "close"]
        assert [c.result for c in one.server.calls][2:4] == [10 + number, 20 + number]


def test_a_connected_socket_s_calls_name_no_peer() -> None:
    story = two()
    server, client = story.thread("server", 10), story.thread("client")
    udp_socket(server, 3, "0.0.0.0:53")
    udp_socket(client)
    client.call("connect", 3, address=OTHER)
    say(client, OWN, OTHER, 5)
    server.call("recvfrom", 3, 5, length=2048, address=OWN)
    (only,) = made(story)
    assert names(only.client.calls) == ["socket", "connect", "sendto"]
    assert only.client.socket is not None
    assert str(only.client.socket.remote) == OTHER


def test_a_retry_after_a_timeout_is_of_the_same_exchange() -> None:
    story = two()
    server, client = story.thread("server", 10), story.thread("client")
    udp_socket(server, 3, "0.0.0.0:53")
    udp_socket(client)
    call = client.begin("sendto", 3, length=5, address=OTHER)
    story.segment(OWN, OTHER, protocol="udp", length=5, lost=True)
    client.end(call, 5)
    client.call("recvfrom", 3, errno="EAGAIN", length=2048)
    say(client, OWN, OTHER, 5, address=OTHER)
    server.call("recvfrom", 3, 5, length=2048, address=OWN)
    (only,) = made(story)
    assert names(only.client.calls) == ["socket", "sendto", "recvfrom", "sendto"]
    assert [s.received is None for s in only.segments] == [True, False]
    assert names(only.server.calls) == ["socket", "bind", "recvfrom"]


def test_a_truncated_datagram_is_the_one_that_was_received() -> None:
    story = two()
    server, client = story.thread("server", 10), story.thread("client")
    udp_socket(server, 3, "0.0.0.0:53")
    udp_socket(client)
    say(client, OWN, OTHER, 500, address=OTHER)
    server.call("recvfrom", 3, 100, length=100)
    (only,) = made(story)
    assert names(only.server.calls) == ["socket", "bind", "recvfrom"]


def test_a_datagram_of_0_bytes() -> None:
    story = two()
    server, client = story.thread("server", 10), story.thread("client")
    udp_socket(server, 3, "0.0.0.0:53")
    udp_socket(client)
    say(client, OWN, OTHER, 0)
    server.call("recvfrom", 3, 0, length=2048)
    (only,) = made(story)
    assert names(only.client.calls) == ["socket", "sendto"]
    assert names(only.server.calls) == ["socket", "bind", "recvfrom"]


def test_refused_as_icmp_tells() -> None:
    story = two()
    client = story.thread("client")
    udp_socket(client)
    client.call("connect", 3, address=OTHER)
    say(client, OWN, OTHER, 5)
    port_unreachable(story, SERVER, CLIENT, OTHER)
    client.call("recvfrom", 3, errno="ECONNREFUSED", length=2048)
    (only,) = made(story)
    assert (only.outcome, len(only.segments)) == ("refused", 2)
    assert names(only.client.calls) == ["socket", "connect", "sendto", "recvfrom"]


def test_an_answer_after_a_refusal_makes_it_an_exchange() -> None:
    story = two()
    client = story.thread("client")
    udp_socket(client)
    say(client, OWN, OTHER, 5, address=OTHER)
    port_unreachable(story, SERVER, CLIENT, OTHER)
    server = story.thread("server", 10)
    udp_socket(server, 3, "0.0.0.0:53")
    say(client, OWN, OTHER, 5, address=OTHER)
    say(server, OTHER, OWN, 7, address=OWN)
    (only,) = made(story)
    assert only.outcome == "exchange"


def test_an_answer_to_who_is_gone_refuses_nothing() -> None:
    story = two()
    server, client = story.thread("server", 10), story.thread("client")
    udp_socket(server, 3, "0.0.0.0:53")
    udp_socket(client)
    say(client, OWN, OTHER, 5, address=OTHER)
    client.call("close", 3)
    server.call("recvfrom", 3, 5, length=2048, address=OWN)
    say(server, OTHER, OWN, 7, address=OWN)
    port_unreachable(story, CLIENT, SERVER, OWN)
    (only,) = made(story)
    assert (only.outcome, len(only.segments)) == ("exchange", 3)


@pytest.mark.parametrize(
    ("about", "outcome"),
    [(f"host unreachable {OTHER} udp", "unreachable"), (f"packet too big {OTHER} udp", "exchange")],
)
def test_other_errors_of_icmp(about: str, outcome: str) -> None:
    story = two()
    client = story.thread("client")
    udp_socket(client)
    say(client, OWN, OTHER, 5, address=OTHER)
    story.segment(f"{SERVER}:0", f"{CLIENT}:0", protocol="icmp", about=about)
    assert [one.outcome for one in made(story)] == [outcome]


def test_each_of_many_refusals_is_given_to_its_own_exchange() -> None:
    story = two()
    for number in range(4):
        client = story.thread("client", 100 + number)
        udp_socket(client)
        for _ in range(2):
            say(client, f"{CLIENT}:{50000 + number}", OTHER, 5, address=OTHER)
            port_unreachable(story, SERVER, CLIENT, OTHER)
    assert [(one.outcome, len(one.segments)) for one in made(story)] == [("refused", 4)] * 4


def test_a_port_that_another_socket_has_now_begins_another_exchange() -> None:
    story = two()
    server = story.thread("server", 10)
    udp_socket(server, 3, "0.0.0.0:53")
    for number in range(2):
        client = story.thread("client", 100 + number)
        udp_socket(client, 3, f"{CLIENT}:50000")
        say(client, OWN, OTHER, 5 + number, address=OTHER)
        server.call("recvfrom", 3, 5 + number, length=2048, address=OWN)
        client.call("close", 3)
    first, second = made(story)
    assert {c.pid for c in first.client.calls} == {100}
    assert {c.pid for c in second.client.calls} == {101}
    assert [c.result for c in first.server.calls if c.name == "recvfrom"] == [5]
    assert [c.result for c in second.server.calls if c.name == "recvfrom"] == [6]


def test_several_messages_in_one_call() -> None:
    """As a resolver asks for two kinds of address at once: sendmmsg(2)."""
    story = two()
    server, client = story.thread("server", 10), story.thread("client")
    udp_socket(server, 3, "0.0.0.0:53")
    udp_socket(client)
    client.call("connect", 3, address=OTHER)
    call = client.begin("sendmmsg", 3, messages=[{"moved": 31}, {"moved": 32}])
    for length in (31, 32):
        story.segment(OWN, OTHER, protocol="udp", length=length)
    client.end(call, 2)
    for length in (31, 32):
        server.call("recvfrom", 3, length, length=2048)
    (only,) = made(story)
    assert names(only.client.calls) == ["socket", "connect", "sendmmsg"]
    assert names(only.server.calls) == ["socket", "bind", "recvfrom", "recvfrom"]


def test_one_socket_that_asks_two_servers() -> None:
    story = Story(client=CLIENT, server=SERVER, second="10.0.0.3")
    client = story.thread("client")
    udp_socket(client)
    say(client, OWN, OTHER, 5, address=OTHER)
    say(client, OWN, "10.0.0.3:53", 5, address="10.0.0.3:53")
    client.call("recvfrom", 3, errno="EAGAIN", length=2048)
    client.call("close", 3)
    first, second = made(story)
    assert first.server.host == "server"
    assert second.server.host == "second"
    for one in (first, second):
        assert names(one.client.calls) == ["socket", "sendto", "recvfrom", "close"]
        assert one.client.calls[1].args["address"] == str(one.server.endpoint)


def test_without_a_capture_the_calls_make_the_exchange() -> None:
    story = two()
    server, client = story.thread("server", 10), story.thread("client")
    udp_socket(server, 3, "0.0.0.0:53")
    udp_socket(client, 3, OWN)
    client.call("sendto", 3, 5, length=5, address=OTHER)
    server.call("recvfrom", 3, 5, length=2048, address=OWN)
    (only,) = made(story)
    assert (only.client.host, only.server.host) == ("client", "server")
    assert names(only.client.calls) == ["socket", "bind", "sendto"]
    assert names(only.server.calls) == ["socket", "bind", "recvfrom"]


def test_a_send_to_where_no_host_is_observed() -> None:
    story = two()
    client = story.thread("client")
    udp_socket(client)
    say(client, OWN, "10.7.7.7:53", 5, address="10.7.7.7:53")
    (only,) = made(story)
    assert (only.server.host, only.server.calls, only.outcome) == (None, (), "exchange")


def test_a_send_that_failed_at_once() -> None:
    story = two()
    client = story.thread("client")
    udp_socket(client)
    client.call("sendto", 3, errno="ENETUNREACH", length=5, address="10.7.7.7:53")
    (only,) = made(story)
    assert (only.outcome, only.segments) == ("unreachable", ())
