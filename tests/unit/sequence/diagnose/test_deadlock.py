"""Threads that wait for each other for ever, and those that only seem to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.sequence.build import Story, Thread
from tests.unit.sequence.diagnose.found import SECOND, connected, only, rules
from tests.unit.sequence.exchanges import Dialogue, listening

RECV: dict[str, Any] = {"length": 65536}


def both_wait() -> tuple[Story, Dialogue]:
    """A request without its end: the server wants more of it, the client the reply."""
    story, talk = connected()
    talk.server.begin("recvfrom", 4, length=64)
    call = talk.client.begin("sendto", 3, length=7)
    talk.send("client", "PSH-ACK", 7)
    talk.client.end(call, 7)
    talk.server.end(story.calls[-2], 7)
    talk.server.begin("recvfrom", 4, length=57)
    talk.client.begin("recvfrom", 3, **RECV)
    return story, talk


def test_both_wait_in_recv() -> None:
    story, talk = both_wait()
    story.tick(3 * SECOND)
    talk.client.exit(signal="SIGALRM")
    diagnosis = only(story, "deadlock")
    assert diagnosis.sentence == (
        "client (process 100, descriptor 3) waits in recv for server (10.0.0.2:80) and server"
        " (process 10, descriptor 4) waits in recv for client (10.0.0.1:40000): at 250 µs all of"
        " them were blocked, until the recording ended, and nothing was on its way that could have"
        " let one go on."
    )
    assert (diagnosis.level, diagnosis.connections) == ("error", (1,))
    assert [getattr(event, "name", "") for event in diagnosis.events] == ["recvfrom"] * 2


def test_it_is_one_too_when_the_death_of_one_has_freed_the_other() -> None:
    story, talk = both_wait()
    story.tick(3 * SECOND)
    talk.send("client", "FIN-ACK")
    waiting = next(c for c in story.calls if c.host == "server" and c.end is None)
    talk.server.end(waiting, 0)
    talk.client.exit(signal="SIGALRM")
    talk.close("server")
    assert "at 250 µs all of them were blocked, for 3.00 s," in only(story, "deadlock").sentence


def test_with_timeouts_it_is_one_until_they_run_out() -> None:
    story, _ = both_wait()
    story.tick(5 * SECOND)
    for waiting in [call for call in story.calls if call.end is None]:
        Thread(story, waiting.host, waiting.pid, waiting.tid).end(waiting, errno="EAGAIN")
    only(story, "deadlock")


@pytest.mark.parametrize("events", [["POLLIN"], ["POLLIN", "POLLRDHUP"]])
def test_a_poll_of_one_descriptor_waits_like_a_recv(events: list[str]) -> None:
    story, talk = connected()
    talk.server.begin("recvfrom", 4, **RECV)
    talk.client.begin("poll", descriptors={"3": events}, timeout_ms=-1)
    story.tick(2 * SECOND)
    diagnosis = only(story, "deadlock")
    assert "client (process 100, descriptor 3) waits in recv for server" in diagnosis.sentence


def test_both_are_blocked_in_send() -> None:
    story, talk = connected()
    for thread, fd in ((talk.client, 3), (talk.server, 4)):
        thread.call("sendto", fd, 4_000_000, length=4_000_000)
        thread.begin("sendto", fd, length=4_000_000)
    story.tick(SECOND)
    diagnosis = only(story, "deadlock")
    assert "is blocked in send until there is room at server" in diagnosis.sentence
    assert diagnosis.advice.startswith("Receive while sending")


@pytest.mark.parametrize("size", [3, 50])
def test_a_ring_over_several_connections(size: int) -> None:
    story = Story(**{f"h{n}": f"10.0.0.{n + 1}" for n in range(size)})
    threads = [story.thread(f"h{n}", 10 + n) for n in range(size)]
    for thread in threads:
        listening(thread, "0.0.0.0:80")
    for number, thread in enumerate(threads):
        other = threads[(number + 1) % size]
        address = story.addresses[other.host]
        talk = Dialogue(thread, other, 40000, client_fd=4, server_fd=5, address=address)
        talk.connect()
        talk.accept()
    for thread in threads:
        thread.begin("recvfrom", 4, **RECV)
    story.tick(SECOND)
    diagnosis = only(story, "deadlock")
    assert len(diagnosis.connections) == size
    assert diagnosis.sentence.startswith(
        "h0 (process 10, descriptor 4) waits in recv for h1 (10.0.0.2:80), h1 (process 11,"
    )


def test_a_client_in_the_queue_of_a_stuck_server_adds_no_circle() -> None:
    story, talk = both_wait()
    late = Dialogue(story.thread("client", 101), talk.server, 40001)
    late.connect()
    late.client.begin("recvfrom", 3, **RECV)
    story.tick(2 * SECOND)
    assert only(story, "deadlock").connections == (1,)


def test_bytes_on_their_way_end_a_wait() -> None:
    story, talk = connected()
    call = talk.client.begin("sendto", 3, length=7)
    talk.send("client", "PSH-ACK", 7)
    talk.client.end(call, 7)
    talk.client.begin("recvfrom", 3, **RECV)
    talk.server.begin("recvfrom", 4, **RECV)
    assert not rules(story)


def test_too_few_bytes_end_no_wait_for_all_of_them() -> None:
    story, talk = connected()
    call = talk.client.begin("sendto", 3, length=7)
    talk.send("client", "PSH-ACK", 7)
    talk.client.end(call, 7)
    talk.client.begin("recvfrom", 3, **RECV)
    talk.server.begin("recvfrom", 4, length=64, flags=["MSG_WAITALL"])
    assert "deadlock" in rules(story)


@pytest.mark.parametrize("way", ["shutdown", "close"])
def test_an_end_on_its_way_ends_a_wait(way: str) -> None:
    story, talk = connected()
    if way == "close":
        talk.close("client")
    else:
        call = talk.client.begin("shutdown", 3, how="SHUT_WR")
        talk.send("client", "FIN-ACK")
        talk.client.end(call)
        talk.client.begin("recvfrom", 3, **RECV)
    talk.server.begin("recvfrom", 4, **RECV)
    assert not rules(story)


def test_another_thread_may_still_send() -> None:
    story, talk = connected()
    writer = talk.client.spawn(105)
    talk.client = writer
    talk.say("client", 10)
    talk.server.begin("recvfrom", 4, **RECV)
    story.thread("client", 100).begin("recvfrom", 3, **RECV)
    story.tick(2 * SECOND)
    assert not rules(story)


def test_who_computes_is_no_part_of_a_circle() -> None:
    story, talk = connected()
    talk.say("client", 10)
    talk.client.begin("recvfrom", 3, **RECV)
    story.tick(10 * SECOND)
    assert "deadlock" not in rules(story)


def test_a_timeout_that_has_not_run_out_ends_a_wait() -> None:
    story, talk = connected()
    talk.client.begin("poll", descriptors={"3": ["POLLIN"]}, timeout_ms=5000)
    talk.server.begin("recvfrom", 4, **RECV)
    assert not rules(story)


def test_who_polls_several_descriptors_is_no_part_of_a_circle() -> None:
    story, talk = connected()
    talk.server.begin("recvfrom", 4, **RECV)
    polled = {"0": ["POLLIN"], "3": ["POLLIN"]}
    talk.client.begin("poll", descriptors=polled, timeout_ms=-1)
    story.tick(2 * SECOND)
    assert not rules(story)


def test_a_server_that_has_forgotten_to_close() -> None:
    story, talk = connected()
    talk.say("client", 10)
    talk.say("server", 100)
    talk.client.begin("recvfrom", 3, **RECV)
    talk.server.begin("accept", 3)
    story.tick(2 * SECOND)
    diagnosis = only(story, "waits-for-close")
    assert diagnosis.sentence == (
        "client (10.0.0.1:40000) waits in recv at 340 µs for more, or for the end, of what server"
        " (10.0.0.2:80) sends; but all of it has come, and process 10 there is in accept again and"
        " has not closed the connection."
    )
    assert diagnosis.host == "server"


def test_a_subordinate_that_serves_on_has_not_forgotten() -> None:
    story, talk = connected()
    parent = talk.server
    talk.server = parent.fork(11)
    parent.call("close", 4)
    talk.say("client", 10)
    talk.client.begin("recvfrom", 3, **RECV)
    parent.begin("accept", 3)
    story.tick(2 * SECOND)
    assert not rules(story)
