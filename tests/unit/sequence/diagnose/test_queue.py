"""Handshakes before accept, and connections that wait in the accept queue."""

from __future__ import annotations

from tests.unit.sequence.build import Story, Thread
from tests.unit.sequence.diagnose.found import SECOND, found, only, pair, rules
from tests.unit.sequence.exchanges import CLIENT, SERVER, Dialogue, exchange, listening


def queued(server: Thread, number: int, last_ack: bool = True) -> Dialogue:
    """Let one more client connect, which nobody accepts yet."""
    client = server.story.thread("client", 100 + number)
    talk = Dialogue(client, server, 40000 + number)
    talk.connect(last_ack)
    return talk


def dropped(story: Story, port: int, again: bool = True) -> None:
    """A SYN that gets no answer, and is sent again after a second."""
    client = story.thread("client", port)
    client.call("socket", result=3, family="AF_INET", type="SOCK_STREAM")
    client.begin("connect", 3, address=f"{SERVER}:80")
    ends = f"{CLIENT}:{port}", f"{SERVER}:80"
    story.segment(*ends, "SYN", 0)
    if again:
        story.tick(SECOND)
        story.segment(*ends, "SYN", 0, retransmission=True)


def test_the_kernel_completes_handshakes_before_accept() -> None:
    story, client, server = pair()
    listening(server)
    talk = Dialogue(client, server)
    talk.connect()
    story.tick(25_000_000)
    talk.accept()
    diagnosis = only(story, "handshake-before-accept")
    assert diagnosis.sentence == (
        "the kernel of server completed the handshake with client (10.0.0.1:40000) at 140 µs;"
        " accept was called 25.0 ms later: so long the connection waited in the accept queue."
    )
    assert diagnosis.level == "info"
    assert not rules(story)


def test_an_accept_that_waits_already_is_not_late() -> None:
    story, client, server = pair()
    listening(server)
    waiting = server.begin("accept", 3)
    talk = Dialogue(client, server)
    talk.connect()
    server.end(waiting, 4, address=f"{CLIENT}:40000")
    assert not found(story)


def test_of_many_early_handshakes_the_longest_wait_is_told() -> None:
    diagnosis = only(exchange(20), "handshake-before-accept")
    assert diagnosis.sentence.endswith(" ... and the same with 19 more connections.")


def test_more_clients_than_the_backlog_has_room_for() -> None:
    story, _, server = pair()
    listening(server, backlog=1)
    for number in range(2):
        queued(server, number)
    dropped(story, 50000)
    diagnosis = only(story, "backlog-overflow")
    assert diagnosis.sentence == (
        "the accept queue of process 10 of server at 0.0.0.0:80 was full at 290 µs: 2 connections"
        " waited for accept, one more than the backlog of 1, so client (10.0.0.1:50000) got no"
        " answer and tried again 1.00 s later."
    )
    assert (diagnosis.level, diagnosis.host) == ("error", "server")


def test_an_ack_that_the_full_queue_had_no_room_for() -> None:
    story, _, server = pair()
    listening(server, backlog=0)
    first = queued(server, 1)
    second = queued(server, 2)
    story.tick(SECOND)
    second.next["server"] = 0
    second.send("server", "SYN-ACK", retransmission=True)
    first.accept()
    second.server_fd = 5
    second.accept()
    diagnosis = only(story, "backlog-overflow")
    assert "client (10.0.0.1:40002) was left waiting and tried again 1.00 s later" in str(diagnosis)
    assert diagnosis.level == "warning"


def test_a_lost_syn_is_no_overflow_while_there_is_room() -> None:
    story, _, server = pair()
    listening(server, backlog=5)
    queued(server, 1).accept()
    dropped(story, 50000)
    assert "backlog-overflow" not in rules(story)


def test_accepted_in_time_no_queue_is_full() -> None:
    story, _, server = pair()
    listening(server, backlog=0)
    for number in range(10):
        queued(server, number).accept()
    dropped(story, 50000)
    assert "backlog-overflow" not in rules(story)


def test_nobody_ever_accepts() -> None:
    story, _, server = pair()
    listening(server)
    for number in range(3):
        queued(server, number)
    story.tick(SECOND)
    server.exit()
    diagnosis = only(story, "listen-never-accept")
    assert diagnosis.sentence == (
        "process 10 of server listens on 0.0.0.0:80 and never called accept: the kernel completed"
        " the handshake with client (10.0.0.1:40000) at 140 µs and with 2 more, and nobody serves"
        " them."
    )
    assert diagnosis.connections == (1, 2, 3)


def test_a_server_may_still_come_to_accept() -> None:
    story, _, server = pair()
    listening(server)
    queued(server, 1)
    assert "listen-never-accept" not in rules(story)


def test_a_server_that_waits_in_accept_has_called_it() -> None:
    story, _, server = pair()
    listening(server)
    server.begin("accept", 3)
    queued(server, 1)
    story.tick(SECOND)
    server.story.thread("server", 99).exit()
    assert "listen-never-accept" not in rules(story)


def test_one_client_waits_until_another_has_been_served() -> None:
    story, _, server = pair()
    listening(server)
    first = queued(server, 1)
    first.accept()
    first.say("client", 10)
    second = queued(server, 2)
    story.tick(3 * SECOND)
    first.say("server", 10)
    first.close("server")
    second.accept()
    second.say("client", 10)
    second.close("server")
    diagnosis = only(story, "one-at-a-time")
    assert diagnosis.sentence == (
        "process 10 of server serves one client at a time: client (10.0.0.1:40002) was connected"
        " at 340 µs and waited 3.00 s in the accept queue until client (10.0.0.1:40001) had been"
        " served."
    )
    assert diagnosis.level == "info"
