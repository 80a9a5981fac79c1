"""Descriptors that are never closed, and processes that nobody waits for."""

from __future__ import annotations

import re

import pytest

from tests.unit.sequence.build import Story
from tests.unit.sequence.diagnose.found import found, only, pair, rules
from tests.unit.sequence.exchanges import Dialogue, listening

HOW_ENDED = ["shutdown", "nothing"]


def serve(story: Story, count: int, end: str = "close") -> None:
    """A server serves clients one after another, and does so much with each in the end."""
    server = story.thread("server", 10)
    listening(server)
    for number in range(count):
        client = story.thread("client", 100 + number)
        own = 4 if end == "close" else 4 + number
        talk = Dialogue(client, server, 40000 + number, server_fd=own)
        talk.connect()
        talk.accept()
        talk.say("client", 10)
        talk.say("server", 100)
        if end == "shutdown":
            call = server.begin("shutdown", own, how="SHUT_RDWR")
            talk.send("server", "FIN-ACK")
            server.end(call)
        elif end == "close":
            talk.close("server")
        talk.close("client")
        client.exit()
    server.begin("accept", 3)


@pytest.mark.parametrize("end", HOW_ENDED)
def test_a_descriptor_leaks_with_each_connection(end: str) -> None:
    story, _, _ = pair()
    serve(story, 5, end)
    diagnosis = only(story, "descriptor-leak")
    assert diagnosis.sentence.startswith(
        "process 10 on server never closed descriptor 4, its connection with client"
        " (10.0.0.1:40000), which was over at "
    )
    assert "and went on to accept at" in diagnosis.sentence
    assert diagnosis.sentence.endswith(" ... and the same with 4 more connections.")
    assert diagnosis.connections == (1, 2, 3, 4, 5)


def test_a_server_that_goes_on_before_its_clients_have_closed() -> None:
    story, _, _ = pair()
    server = story.thread("server", 10)
    listening(server)
    talks = []
    for number in range(3):
        client = story.thread("client", 100 + number)
        talk = Dialogue(client, server, 40000 + number, server_fd=4 + number)
        talk.connect()
        talk.accept()
        talk.say("client", 10)
        talk.say("server", 100)
        talks.append(talk)
    server.begin("accept", 3)
    for talk in talks:
        talk.close("client")
    diagnosis = only(story, "descriptor-leak")
    over = re.search(r"which was over at (\d+) µs, while it waited in the accept", str(diagnosis))
    began = re.search(r"in the accept that it had called at (\d+) µs \.\.\. and", str(diagnosis))
    assert over and began and int(began[1]) < int(over[1])
    assert diagnosis.connections == (1, 2, 3)


def test_closed_descriptors_do_not_leak() -> None:
    story, _, _ = pair()
    serve(story, 5)
    assert not rules(story)


def test_the_end_of_the_process_closes_its_last_connection() -> None:
    story, client, server = pair()
    listening(server)
    talk = Dialogue(client, server)
    talk.connect()
    talk.accept()
    talk.say("client", 10)
    talk.close("client")
    server.exit()
    assert "descriptor-leak" not in rules(story)


def forking(
    closes: bool = True, waits: bool = True, told: tuple[bool | None, ...] = (None, None, None)
) -> Story:
    """A server with a subordinate for each of three clients; of which ends it is told."""
    story, _, server = pair()
    listening(server)
    for number in range(3):
        client = story.thread("client", 100 + number)
        fd = 4 if closes else 4 + number
        talk = Dialogue(client, server, 40000 + number, server_fd=fd)
        talk.connect()
        talk.accept()
        talk.server = server.fork(20 + number)
        if closes:
            server.call("close", fd)
        talk.server.call("close", 3)
        talk.say("client", 10)
        talk.say("server", 100)
        talk.close("server", fin=closes)
        talk.server.exit(told_parent=told[number])
        if waits:
            server.call("wait4", result=20 + number, pid=-1)
        talk.close("client")
    server.begin("accept", 3)
    return story


def test_a_parent_that_keeps_what_it_left_to_its_child() -> None:
    diagnosis = only(forking(closes=False), "descriptor-leak")
    assert diagnosis.sentence.startswith(
        "process 10 on server never closed descriptor 4, the connection that it left to its child"
        " 20: so no FIN was sent when the child closed it or ended at "
    )
    assert diagnosis.advice.startswith("After fork close the connection in the parent")


def test_a_subordinate_that_nobody_waits_for() -> None:
    diagnosis = only(forking(waits=False), "zombie")
    assert diagnosis.sentence.startswith("process 20 on server ended at ")
    assert "its parent, process 10, went on (accept at" in diagnosis.sentence
    assert "unless it ignores SIGCHLD, it remains as a zombie" in diagnosis.sentence
    assert diagnosis.sentence.endswith(" ... and the same with 2 more processes.")
    assert (diagnosis.level, diagnosis.host) == ("warning", "server")


def test_a_parent_that_ignores_sigchld_leaves_no_zombie() -> None:
    assert not rules(forking(waits=False, told=(False, False, False)))


@pytest.mark.parametrize("told", [(True, True, True), (False, True, False)])
def test_a_parent_that_is_told_of_any_end_leaves_zombies(told: tuple[bool, ...]) -> None:
    diagnosis = only(forking(waits=False, told=told), "zombie")
    assert "never waited for it: it remains as a zombie" in diagnosis.sentence
    assert diagnosis.sentence.endswith(" ... and the same with 2 more processes.")


def test_a_parent_that_closes_and_waits_is_right() -> None:
    assert not rules(forking())


def test_a_parent_that_ends_too_leaves_no_zombie() -> None:
    story, _, server = pair()
    child = server.fork(20)
    child.exit()
    server.exit()
    assert not found(story)


def test_no_descriptor_is_left() -> None:
    story, _, _ = pair()
    serve(story, 5, "shutdown")
    story.calls.pop()
    server = story.thread("server", 10)
    for _ in range(2):
        server.call("accept", 3, errno="EMFILE")
    diagnosis = only(story, "no-descriptors-left")
    assert "accept of process 10 on server failed at" in diagnosis.sentence
    assert "with EMFILE: the process has as many descriptors as it may have; 6 of its sockets" in (
        diagnosis.sentence
    )
    assert diagnosis.sentence.endswith(" ... and the same with 1 more call.")
