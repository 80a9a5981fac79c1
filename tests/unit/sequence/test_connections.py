"""TCP connections put together: which calls and which segments are of one connection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from labctl.sequence.events import Call, Endpoint, OpenSocket
from labctl.sequence.timeline import Timeline
from labctl.sequence.waiting_flows import WINDOW
from tests.unit.sequence.build import Story
from tests.unit.sequence.exchanges import CLIENT, SERVER, Dialogue, exchange, listening, tcp_socket

ACTIVE = ["socket", "connect", "sendto", "recvfrom", "recvfrom", "close"]
PASSIVE = ["socket", "bind", "listen", "accept", "recvfrom", "sendto", "close"]


def names(calls: Iterable[Call]) -> list[str]:
    return [call.name for call in calls]


def two() -> Story:
    return Story(client=CLIENT, server=SERVER)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("address", [SERVER, "127.0.0.1"])
def test_figure_6_30_is_one_connection(told: bool, address: str) -> None:
    made = Timeline.of(exchange(told=told, address=address)).connections
    assert len(made) == 1
    client, server = made[0].sides
    assert names(client.calls) == ACTIVE
    assert names(server.calls) == PASSIVE
    assert (made[0].outcome, made[0].protocol, len(made[0].segments)) == ("established", "tcp", 11)
    assert str(server.endpoint) == f"{address}:80"
    assert client.endpoint is not None
    assert client.endpoint.port == 40000
    assert client.socket is not None
    assert (client.socket.local, client.socket.remote) == (client.endpoint, server.endpoint)
    assert server.socket is not None
    assert (server.socket.local, server.socket.remote) == (server.endpoint, client.endpoint)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("how", [{}, {"subordinates": True}, {"threads": True}])
def test_each_of_many_has_its_own_calls(told: bool, how: dict[str, Any]) -> None:
    timeline = Timeline.of(exchange(connections=30, told=told, **how))
    assert [c.id for c in timeline.connections] == [*range(1, 31)]
    for number, made in enumerate(timeline.connections):
        assert {call.pid for call in made.client.calls} == {100 + number}
        moving = [call for call in made.server.calls if call.name in ("recvfrom", "sendto")]
        if how.get("subordinates"):
            assert {call.pid for call in moving} == {100_000 + number}
        elif how:
            assert {call.tid for call in moving} == {100_000 + number}
        assert len(moving) == 2
        assert made.client.endpoint == Endpoint(CLIENT, 40_000 + number)


def test_a_forking_server_s_fork_and_both_closes_are_of_the_connection() -> None:
    (made,) = Timeline.of(exchange(subordinates=True)).connections
    told = names(made.server.calls)
    assert told == [*PASSIVE[:4], "clone", "close", "recvfrom", "sendto", "close"]
    assert [c.last for c in made.server.calls if c.name == "close"] == [False, True]


def test_pre_forked_acceptors_of_one_listener() -> None:
    story = two()
    server = story.thread("server", 10)
    listening(server)
    children = [server.fork(20), server.fork(21)]
    waiting = [child.begin("accept", 3) for child in children]
    client = story.thread("client")
    talks = []
    for number in range(2):
        talk = Dialogue(client, children[1 - number], 40000 + number, client_fd=3 + number)
        talk.connect()
        children[1 - number].end(waiting[1 - number], 4)
        talk.say("client", 10 + number)
        talks.append(talk)
    for talk in talks:
        talk.close("client")
    timeline = Timeline.of(story.recording())
    first, second = timeline.connections
    assert [c.pid for c in first.server.calls if c.name == "accept"] == [21]
    assert [c.pid for c in second.server.calls if c.name == "accept"] == [20]
    assert first.server.socket is not None
    assert second.server.socket is not None
    assert first.server.socket.listener == second.server.socket.listener is not None


def test_accepts_that_tell_nothing_are_told_apart_by_what_they_moved() -> None:
    """Two connections wait in the backlog; the second handshake was over first."""
    story = two()
    server, client = story.thread("server", 10), story.thread("client")
    listening(server)
    one = Dialogue(client, server, 40000, told=False)
    other = Dialogue(client, server, 40001, client_fd=4, server_fd=5, told=False)
    one.connect(last_ack=False)
    other.connect()
    one.send("client", "ACK")
    other.accept()  # gives fd 5
    one.accept()  # gives fd 4
    one.say("client", 11)
    other.say("client", 22)
    made = {
        c.client.endpoint.port: c
        for c in Timeline.of(story.recording()).connections
        if c.client.endpoint
    }
    for port, length in ((40000, 11), (40001, 22)):
        assert [c.result for c in made[port].server.calls if c.name == "recvfrom"] == [length]
        assert [c.result for c in made[port].client.calls if c.name == "sendto"] == [length]


@pytest.mark.parametrize("slow", [False, True])
def test_a_connect_that_does_not_wait(slow: bool) -> None:
    """`slow`: the SYN is seen to leave only after connect has returned."""
    story = two()
    server, client = story.thread("server", 10), story.thread("client")
    listening(server)
    talk = Dialogue(client, server)
    tcp_socket(client, flags=["SOCK_NONBLOCK"])
    call = client.begin("connect", 3, address=f"{SERVER}:80")
    if slow:
        client.end(call, errno="EINPROGRESS")
    talk.send("client", "SYN")
    if not slow:
        client.end(call, errno="EINPROGRESS")
    talk.send("server", "SYN-ACK")
    talk.send("client", "ACK")
    client.call("poll", result=1, descriptors={"3": ["POLLOUT"]})
    client.call("getsockopt", 3, option="SO_ERROR")
    client.call("connect", 3, address=f"{SERVER}:80")
    talk.accept()
    (made,) = Timeline.of(story.recording()).connections
    assert made.outcome == "established"
    assert names(made.client.calls) == ["socket", "connect", "poll", "getsockopt", "connect"]


def test_connect_tried_again_on_the_same_socket_is_two_attempts() -> None:
    story = two()
    client = story.thread("client")
    tcp_socket(client)
    for port in (40000, 40001):
        call = client.begin("connect", 3, address=f"{SERVER}:80")
        story.segment(f"{CLIENT}:{port}", f"{SERVER}:80", "SYN", 0)
        story.segment(f"{SERVER}:80", f"{CLIENT}:{port}", "RST-ACK", 0, 1)
        client.end(call, errno="ECONNREFUSED")
    client.call("close", 3)
    first, second = Timeline.of(story.recording()).connections
    assert [c.outcome for c in (first, second)] == ["refused", "refused"]
    assert names(first.client.calls) == ["socket", "connect"]
    assert names(second.client.calls) == ["socket", "connect", "close"]
    assert first.client.calls[1] is not second.client.calls[1]


def test_a_port_that_is_used_again_begins_another_connection() -> None:
    story = two()
    server = story.thread("server", 10)
    listening(server)
    for number in range(2):
        talk = Dialogue(story.thread("client", 100 + number), server, 40000)
        talk.connect()
        talk.accept()
        talk.say("client", 5 + number)
        talk.close("client")
        talk.close("server")
    first, second = Timeline.of(story.recording()).connections
    assert (len(first.segments), len(second.segments)) == (7, 7)
    assert first.client.endpoint == second.client.endpoint
    assert {c.pid for c in first.client.calls} == {100}
    assert {c.pid for c in second.client.calls} == {101}
    assert [c.result for c in second.server.calls if c.name == "recvfrom"] == [6]


def test_loopback_of_two_hosts_is_not_mixed_up() -> None:
    story = two()
    for host in ("client", "server"):
        own = story.thread(host, 10)
        listening(own)
        talk = Dialogue(story.thread(host, 20), own, 40000, address="127.0.0.1")
        talk.connect()
        talk.accept()
    made = Timeline.of(story.recording()).connections
    assert [(c.client.host, c.server.host) for c in made] == [
        ("client", "client"),
        ("server", "server"),
    ]
    assert [len(c.segments) for c in made] == [3, 3]


def test_several_listeners_of_one_port_on_different_addresses() -> None:
    story = two()
    server = story.thread("server", 10)
    listening(server, f"{SERVER}:80", 3)
    listening(server, "127.0.0.1:80", 4)
    away = Dialogue(story.thread("client"), server, 40000, server_fd=5, told=False)
    near = Dialogue(
        story.thread("server", 30),
        server,
        40000,
        server_fd=6,
        listener_fd=4,
        address="127.0.0.1",
        told=False,
    )
    for talk in (away, near):
        talk.connect()
    for talk in (near, away):
        talk.accept()
    made = Timeline.of(story.recording()).connections
    assert [c.server.socket and c.server.socket.listener for c in made] == [1, 2]


def test_a_connection_that_waits_in_the_backlog_has_the_listener_s_calls() -> None:
    story = two()
    server, client = story.thread("server", 10), story.thread("client")
    listening(server)
    Dialogue(client, server).connect()
    (made,) = Timeline.of(story.recording()).connections
    assert made.outcome == "established"
    assert names(made.server.calls) == ["socket", "bind", "listen"]
    assert made.server.socket is None


def test_a_socket_that_was_connected_before_the_recording() -> None:
    story = two()
    ends = Endpoint(CLIENT, 40000), Endpoint(SERVER, 80)
    for host, (own, other) in {"client": ends, "server": (ends[1], ends[0])}.items():
        story.open_sockets.append(
            OpenSocket(host, 100, 3, 7, "AF_INET", "SOCK_STREAM", "ESTAB", own, other)
        )
    talk = Dialogue(story.thread("client"), story.thread("server"), server_fd=3)
    talk.say("client", 5)
    (made,) = Timeline.of(story.recording()).connections
    assert made.outcome == "established"
    assert names(made.client.calls) == ["sendto"]
    assert names(made.server.calls) == ["recvfrom"]
    assert made.client.endpoint == ends[0]


def test_a_socket_whose_handshake_alone_was_captured_before_its_calls() -> None:
    story = two()
    ends = Endpoint(CLIENT, 40000), Endpoint(SERVER, 80)
    for host, (own, other) in {"client": ends, "server": (ends[1], ends[0])}.items():
        story.open_sockets.append(
            OpenSocket(host, 100, 3, 7, "AF_INET", "SOCK_STREAM", "ESTAB", own, other)
        )
    talk = Dialogue(story.thread("client"), story.thread("server"), server_fd=3)
    for by, flags in (("client", "SYN"), ("server", "SYN-ACK"), ("client", "ACK")):
        talk.send(by, flags)
    talk.say("client", 5)
    (made,) = Timeline.of(story.recording()).connections
    assert names(made.client.calls) == ["sendto"]
    assert names(made.server.calls) == ["recvfrom"]
    assert made.server.socket is not None
    assert made.server.socket.remote == ends[0]


def test_a_listener_that_was_there_before_the_recording() -> None:
    story = two()
    opened = OpenSocket(
        *("server", 100, 3, 7, "AF_INET", "SOCK_STREAM", "LISTEN"), Endpoint("0.0.0.0", 80), None
    )
    story.open_sockets.append(opened)
    talk = Dialogue(story.thread("client"), story.thread("server"), told=False)
    talk.connect()
    talk.accept()
    (made,) = Timeline.of(story.recording()).connections
    assert names(made.server.calls) == ["accept"]
    assert made.server.socket is not None
    assert made.server.socket.listener is not None


def test_an_end_that_was_not_observed() -> None:
    story = Story(client=CLIENT)
    client = story.thread("client")
    tcp_socket(client)
    call = client.begin("connect", 3, address=f"{SERVER}:80")
    story.segment(f"{CLIENT}:40000", f"{SERVER}:80", "SYN", 0)
    story.segment(f"{SERVER}:80", f"{CLIENT}:40000", "SYN-ACK", 0, 1)
    client.end(call)
    (made,) = Timeline.of(story.recording()).connections
    assert (made.client.host, made.server.host) == ("client", None)
    assert (made.server.calls, made.server.socket) == ((), None)
    assert str(made.server.endpoint) == f"{SERVER}:80"


def test_an_accept_from_who_was_not_observed() -> None:
    story = Story(server=SERVER)
    server = story.thread("server", 10)
    listening(server)
    story.segment("10.9.9.9:5", f"{SERVER}:80", "SYN", 0)
    story.segment(f"{SERVER}:80", "10.9.9.9:5", "SYN-ACK", 0, 1)
    story.segment("10.9.9.9:5", f"{SERVER}:80", "ACK", 1, 1)
    server.call("accept", 3, 4)
    (made,) = Timeline.of(story.recording()).connections
    assert made.client.host is None
    assert str(made.client.endpoint) == "10.9.9.9:5"
    assert names(made.server.calls) == ["socket", "bind", "listen", "accept"]


def test_without_a_capture_the_calls_make_the_connection() -> None:
    story = two()
    server, client = story.thread("server", 10), story.thread("client")
    listening(server)
    waiting = server.begin("accept", 3)
    tcp_socket(client)
    client.call("connect", 3, address=f"{SERVER}:80")
    server.end(waiting, 4, address=f"{CLIENT}:40000")
    (made,) = Timeline.of(story.recording()).connections
    assert (made.outcome, made.segments) == ("established", ())
    assert (made.client.host, made.server.host) == ("client", "server")
    assert names(made.client.calls) == ["socket", "connect"]
    assert names(made.server.calls) == ["socket", "bind", "listen", "accept"]


def test_segments_of_nobody_s_calls_are_a_connection_too() -> None:
    story = Story(client=CLIENT, server=SERVER)
    story.segment(f"{CLIENT}:40000", f"{SERVER}:80", "SYN", 0)
    story.segment(f"{SERVER}:80", f"{CLIENT}:40000", "SYN-ACK", 0, 1)
    (made,) = Timeline.of(story.recording()).connections
    assert (made.client.host, made.client.calls) == ("client", ())
    assert made.outcome == "established"


def test_more_connects_at_once_than_are_looked_at_together() -> None:
    """All are entered before the first SYN leaves; then all are accepted, and tell nothing."""
    story, size = two(), 3 * WINDOW
    server = story.thread("server", 10)
    listening(server)
    opening = []
    for number in range(size):
        client = story.thread("client", 100 + number)
        tcp_socket(client)
        opening.append((client, client.begin("connect", 3, address=f"{SERVER}:80")))
    for number, (client, call) in enumerate(opening):
        own = f"{CLIENT}:{20000 + number}"
        story.segment(own, f"{SERVER}:80", "SYN", 0)
        story.segment(f"{SERVER}:80", own, "SYN-ACK", 0, 1)
        story.segment(own, f"{SERVER}:80", "ACK", 1, 1)
        client.end(call)
    for number in range(size):
        server.call("accept", 3, 4 + number)
    made = Timeline.of(story.recording()).connections
    assert len(made) == size
    for number, one in enumerate(made):
        assert {c.pid for c in one.client.calls} == {100 + number}
        assert [c.result for c in one.server.calls if c.name == "accept"] == [4 + number]
