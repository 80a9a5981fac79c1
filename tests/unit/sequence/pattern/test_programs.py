"""Programs of every build, on whole timelines: each connection is matched by itself."""

from __future__ import annotations

from typing import Any

import pytest

from labctl.sequence.pattern import Verdict
from labctl.sequence.timeline import Timeline
from tests.unit.sequence.build import Story, Thread
from tests.unit.sequence.exchanges import (
    CLIENT,
    SERVER,
    Dialogue,
    datagrams,
    exchange,
    listening,
    tcp_socket,
)

FIGURE: dict[str, Any] = {
    "server": ["socket", "bind", "listen", "accept", "recv+", "send+", "close"],
    "client": ["socket", "connect", "send+", "recv+", "recv=0", "close"],
    "wire": ["SYN", "SYN-ACK", "ACK", "client>data+", "server>data+", "server>FIN", "client>FIN"],
    "never": {"server": ["connect"], "client": ["bind", "listen", "accept"], "wire": ["RST"]},
    "before": [
        ["server.listen.call", "server.SYN.received"],
        ["client.SYN.sent", "server.SYN.received", "client.SYN-ACK.received"],
        ["client.SYN-ACK.received", "client.connect.return"],
        ["server.ACK.received", "server.accept.return"],
        ["client.data.sent", "server.data.received"],
    ],
}


def judged(story: Story, **more: Any) -> Verdict:
    return Timeline.of(story.recording()).matches({**FIGURE, **more})


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("subordinates", [True, False])
def test_one_server_and_many_clients(subordinates: bool, told: bool) -> None:
    seen = Timeline.of(exchange(20, pieces=3, subordinates=subordinates, told=told))
    verdict = seen.matches({**FIGURE, "connections": 20})
    assert verdict, str(verdict)
    assert verdict.connections == 20


def test_short_reads_are_any_number_of_recv() -> None:
    seen = Timeline.of(exchange(3, reply=1000, pieces=17))
    assert seen.matches(FIGURE)
    once = {**FIGURE, "client": ["socket", "connect", "send", "recv", "recv=0", "close"]}
    verdict = seen.matches(once)
    assert verdict.failing == 3
    assert "recv returned data where the end of file (0) was due" in verdict.failures[0].meaning


def at_once(story: Story, threads: list[Thread], count: int) -> list[Dialogue]:
    """Let `count` clients connect before any is served; `threads` serve in turn."""
    talks = []
    for number in range(count):
        client = story.thread("client", 500 + number)
        served_by = threads[number % len(threads)]
        talk = Dialogue(client, served_by, 41000 + number, server_fd=10 + number)
        talk.connect()
        talks.append(talk)
    return talks


def all_of(talks: list[Dialogue]) -> None:
    """Let every exchange go its way, step by step, all of them at once."""
    for talk in talks:
        talk.say("client", 10)
    for talk in reversed(talks):
        talk.say("server", 100, 2)
    for talk in talks:
        talk.close("server")
        talk.send("client", "ACK")
    for talk in talks:
        talk.end_of_data("client")
        talk.close("client")
        talk.send("server", "ACK")


def test_threads_of_one_process() -> None:
    story = Story(client=CLIENT, server=SERVER)
    main = story.thread("server", 10)
    listening(main)
    talks = at_once(story, [main], 6)
    for number, talk in enumerate(talks):
        talk.accept()
        talk.server = main.spawn(20 + number)
    all_of(talks)
    verdict = judged(story, connections=6)
    assert verdict, str(verdict)


def test_processes_that_were_forked_before() -> None:
    story = Story(client=CLIENT, server=SERVER)
    main = story.thread("server", 10)
    listening(main)
    workers = [main.fork(20 + n) for n in range(3)]
    waiting = [worker.begin("accept4", 3) for worker in workers]
    talks = at_once(story, workers, 6)
    for talk, call in zip(talks[:3], waiting, strict=True):
        talk.server.end(call, talk.server_fd, address=talk.ends["client"])
    for talk in talks[3:]:
        talk.server.call("accept4", 3, talk.server_fd, address=talk.ends["client"])
    all_of(talks)
    verdict = judged(story, connections=6)
    assert verdict, str(verdict)


def test_an_event_loop() -> None:
    story = Story(client=CLIENT, server=SERVER)
    loop = story.thread("server", 10)
    loop.call("epoll_create1", result=7)
    listening(loop)
    loop.call("fcntl", 3, command="F_SETFL", argument=["O_NONBLOCK"])
    loop.call("epoll_ctl", 7, operation="EPOLL_CTL_ADD", descriptor=3)
    loop.call("accept4", 3, errno="EAGAIN")
    talks = at_once(story, [loop], 4)
    for talk in talks:
        loop.call("epoll_wait", 7, 1)
        talk.accept()
        loop.call("setsockopt", talk.server_fd, option="TCP_NODELAY")
        loop.call("epoll_ctl", 7, operation="EPOLL_CTL_ADD", descriptor=talk.server_fd)
        loop.call("recvfrom", talk.server_fd, errno="EAGAIN", length=65536)
    loop.call("accept4", 3, errno="EAGAIN")
    all_of(talks)
    verdict = judged(story, connections=4)
    assert verdict, str(verdict)


def test_a_client_that_forks_for_each_connection() -> None:
    story = Story(client=CLIENT, server=SERVER)
    server = story.thread("server", 10)
    listening(server)
    parent = story.thread("client", 50)
    talks = []
    for number in range(3):
        talk = Dialogue(parent.fork(60 + number), server, 41000 + number, server_fd=10 + number)
        talk.connect()
        talk.accept()
        talks.append(talk)
    all_of(talks)
    verdict = judged(story, connections=3)
    assert verdict, str(verdict)


def test_a_subordinate_that_keeps_the_socket_open() -> None:
    story = Story(client=CLIENT, server=SERVER)
    server, client = story.thread("server", 10), story.thread("client", 20)
    listening(server)
    talk = Dialogue(client, server)
    talk.connect()
    talk.accept()
    server.fork(11)
    talk.say("client", 10)
    talk.say("server", 100)
    talk.close("server", fin=False)
    pattern = {"server": FIGURE["server"]}
    (failure,) = Timeline.of(story.recording()).matches(pattern).failures
    assert failure.meaning.startswith("close was called, but another descriptor of the same")
    shared = {"server": [*FIGURE["server"][:-1], "close=shared"]}
    assert Timeline.of(story.recording()).matches(shared)


def test_a_refused_connect() -> None:
    story = Story(client=CLIENT, server=SERVER)
    client = story.thread("client")
    tcp_socket(client)
    call = client.begin("connect", 3, address=f"{SERVER}:81")
    story.segment(f"{CLIENT}:40000", f"{SERVER}:81", "SYN", 0)
    story.segment(f"{SERVER}:81", f"{CLIENT}:40000", "RST-ACK", 0, 1)
    client.end(call, errno="ECONNREFUSED")
    client.call("close", 3)
    seen = Timeline.of(story.recording())
    pattern = {
        "client": ["socket", "connect=ECONNREFUSED", "close"],
        "wire": ["client>SYN", "server>RST"],
        "port": 81,
    }
    assert seen.matches(pattern)
    (failure,) = seen.matches({**pattern, "client": ["socket", "connect", "close"]}).failures
    assert failure.meaning.startswith("connect failed with ECONNREFUSED: no socket listens on")


@pytest.mark.parametrize("told", [True, False])
def test_datagrams(told: bool) -> None:
    seen = Timeline.of(datagrams(3, told=told))
    pattern = {
        "server": ["socket", "bind", "(recv send)+", "close"],
        "client": ["socket", "(send recv)+", "close"],
        "wire": ["(client>datagram server>datagram)+"],
        "never": {"server": ["listen", "accept"], "client": ["connect"]},
        "before": [["client.send.call", "server.recv.return", "client.recv.return"]],
        "port": 53,
    }
    verdict = seen.matches(pattern)
    assert verdict, str(verdict)
    assert verdict.connections == 1


def test_nothing_causes_an_order_of_the_two_returns() -> None:
    story = Story(client=CLIENT, server=SERVER)
    server, client = story.thread("server", 10), story.thread("client", 20)
    listening(server)
    waiting = server.begin("accept", 3)
    talk = Dialogue(client, server)
    tcp_socket(client)
    call = client.begin("connect", 3, address=f"{SERVER}:80")
    for by, flags in (("client", "SYN"), ("server", "SYN-ACK"), ("client", "ACK")):
        talk.send(by, flags)
    now = story.now
    client.end(call)
    story.now = now
    server.end(waiting, 4, address=f"{CLIENT}:40000")
    pattern = {"before": [["client.connect.return", "server.accept.return"]]}
    (failure,) = Timeline.of(story.recording()).matches(pattern).failures
    assert failure.meaning.startswith("Nothing orders client.connect.return")
