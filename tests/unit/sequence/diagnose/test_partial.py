"""Messages of which a part was left."""

from __future__ import annotations

from tests.unit.sequence.build import Story
from tests.unit.sequence.diagnose.found import connected, only, rules
from tests.unit.sequence.exchanges import Dialogue


def sent(talk: Dialogue, by: str, length: int) -> None:
    """One end sends; whether the other receives it is told elsewhere."""
    thread, fd = (talk.client, 3) if by == "client" else (talk.server, 4)
    call = thread.begin("sendto", fd, length=length)
    talk.send(by, "PSH-ACK", length)
    thread.end(call, length)


def took_one_piece(room: int = 65536, got: int = 1448) -> tuple[Story, Dialogue]:
    """A reply of 10,000 bytes of which the client receives a piece; then it closes."""
    story, talk = connected()
    talk.say("client", 10)
    sent(talk, "server", 10_000)
    talk.client.call("recvfrom", 3, got, length=room)
    talk.close("client", fin=False)
    return story, talk


def test_one_recv_taken_for_a_whole_message() -> None:
    story, _ = took_one_piece()
    diagnosis = only(story, "short-read")
    assert diagnosis.sentence == (
        "client took 1,448 of the 10,000 bytes that server (10.0.0.2:80) had sent with one send:"
        " recv on descriptor 3 returned 1,448 at 300 µs, and it called close at 320 µs without"
        " calling recv again for the rest."
    )
    assert (diagnosis.level, diagnosis.host) == ("warning", "client")


def test_a_buffer_with_too_little_room() -> None:
    story, _ = took_one_piece(room=512, got=512)
    assert "returned 512, all that its buffer had room for," in only(story, "short-read").sentence


def test_a_request_that_comes_in_pieces() -> None:
    story, talk = connected()
    sent(talk, "client", 1)
    talk.server.call("recvfrom", 4, 1, length=64)
    sent(talk, "client", 1)
    sent(talk, "client", 6)
    talk.close("server", fin=False)
    diagnosis = only(story, "short-read")
    assert (
        "server took the first part of the 8 bytes that client (10.0.0.1:40000) had sent with"
        in (diagnosis.sentence)
    )
    assert "3 sends" in diagnosis.sentence


def test_recv_in_a_loop_takes_the_message_whole() -> None:
    story, talk = connected()
    talk.say("client", 10)
    talk.say("server", 10_000, pieces=7)
    talk.close("server")
    talk.end_of_data("client")
    talk.close("client")
    assert not rules(story)


def test_a_second_request_is_not_the_rest_of_the_first() -> None:
    story, talk = connected()
    talk.say("client", 10)
    talk.say("server", 100)
    sent(talk, "client", 10)
    talk.close("server", fin=False)
    assert "short-read" not in rules(story)


def test_a_send_that_took_a_part() -> None:
    story, talk = connected()
    talk.say("client", 10)
    talk.server.call("sendto", 4, 4000, length=10_000)
    talk.close("server")
    diagnosis = only(story, "short-write")
    assert diagnosis.sentence == (
        "send on descriptor 4 of process 10 on server took only 4,000 of 10,000 bytes at 260 µs,"
        " and it called close at 280 µs without sending the other 6,000."
    )


def test_the_rest_is_sent_in_a_loop() -> None:
    story, talk = connected()
    talk.say("client", 10)
    talk.server.call("sendto", 4, 4000, length=10_000)
    talk.server.call("sendto", 4, 6000, length=6000)
    talk.close("server")
    assert "short-write" not in rules(story)


def test_a_receiver_that_is_gone_needs_no_rest() -> None:
    story, talk = connected()
    talk.say("client", 10)
    talk.server.call("sendto", 4, 4000, length=10_000)
    talk.close("client")
    talk.close("server")
    assert "short-write" not in rules(story)
