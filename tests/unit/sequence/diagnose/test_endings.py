"""Connections that end with a RST, and sends on connections that are no more."""

from __future__ import annotations

import pytest

from tests.unit.sequence.build import Story
from tests.unit.sequence.diagnose.found import connected, only, rules
from tests.unit.sequence.exchanges import Dialogue


def unread(length: int = 3000, taken: int = 10) -> tuple[Story, Dialogue]:
    """The server sends; the client receives a little of it and closes."""
    story, talk = connected()
    talk.say("client", 5)
    call = talk.server.begin("sendto", 4, length=length)
    talk.send("server", "PSH-ACK", length)
    talk.server.end(call, length)
    talk.client.call("recvfrom", 3, taken, length=taken)
    closing = talk.client.begin("close", 3)
    talk.send("client", "RST-ACK")
    talk.client.end(closing)
    return story, talk


def test_close_with_unread_data_sends_a_rst() -> None:
    story, _ = unread()
    diagnosis = only(story, "rst-unread")
    assert diagnosis.sentence == (
        "client (10.0.0.1:40000) called close (descriptor 3) at 320 µs while 2,990 of the 3,000"
        " bytes that had arrived were unread: so its kernel sent a RST, and server (10.0.0.2:80)"
        " may lose data that it has not received yet."
    )
    assert (diagnosis.level, diagnosis.host) == ("warning", "client")


def test_an_exit_with_unread_data_does_too() -> None:
    story, talk = connected()
    talk.say("client", 5)
    call = talk.server.begin("sendto", 4, length=100)
    talk.send("server", "PSH-ACK", 100)
    talk.server.end(call, 100)
    talk.client.exit()
    talk.send("client", "RST-ACK")
    assert "client (10.0.0.1:40000) ended at" in only(story, "rst-unread").sentence


def test_everything_received_before_close_needs_no_rst() -> None:
    story, talk = connected()
    talk.say("client", 5)
    talk.say("server", 100)
    talk.close("server")
    talk.end_of_data("client")
    talk.close("client")
    assert not rules(story)


def test_data_that_comes_after_close_is_answered_with_a_rst() -> None:
    story, talk = connected()
    talk.say("client", 5)
    talk.close("client")
    call = talk.server.begin("sendto", 4, length=100)
    talk.send("server", "PSH-ACK", 100)
    talk.server.end(call, 100)
    talk.send("client", "RST")
    diagnosis = only(story, "rst-after-close")
    assert "and then 100 bytes more came from server (10.0.0.2:80)" in diagnosis.sentence
    assert diagnosis.host == "client"


def test_linger_zero_throws_the_connection_away() -> None:
    story, talk = connected()
    value = {"l_onoff": 1, "l_linger": 0}
    talk.client.call("setsockopt", 3, level="SOL_SOCKET", option="SO_LINGER", value=value)
    talk.say("client", 5)
    closing = talk.client.begin("close", 3)
    talk.send("client", "RST-ACK")
    talk.client.end(closing)
    assert "with SO_LINGER set to 0 s" in only(story, "rst-linger").sentence
    assert "rst-unread" not in rules(story)


def test_a_send_after_the_peer_has_closed() -> None:
    story, talk = unread()
    talk.server.call("sendto", 4, errno="EPIPE", length=100, flags=["MSG_NOSIGNAL"])
    diagnosis = only(story, "broken-pipe")
    assert diagnosis.sentence == (
        "process 10 on server sent on descriptor 4 at 360 µs although client (10.0.0.1:40000) had"
        " closed at 320 µs: it got EPIPE."
    )
    assert (diagnosis.level, diagnosis.host) == ("warning", "server")


@pytest.mark.parametrize("returned", [True, False])
def test_sigpipe_kills_the_sender(returned: bool) -> None:
    story, talk = unread()
    if returned:
        talk.server.call("write", 4, errno="EPIPE", length=100)
    else:
        talk.server.begin("write", 4, length=100)
    talk.server.exit(signal="SIGPIPE")
    diagnosis = only(story, "broken-pipe")
    assert diagnosis.sentence.endswith("it got SIGPIPE, which killed the process.")
    assert diagnosis.level == "error"


def test_a_reset_while_sending() -> None:
    story, talk = unread()
    talk.server.call("sendto", 4, errno="ECONNRESET", length=100)
    assert only(story, "broken-pipe").sentence.endswith("it got ECONNRESET.")


def test_a_peer_that_was_not_observed() -> None:
    story, talk = connected()
    own = talk.client
    story.calls = [call for call in story.calls if call.host != "server"]
    talk.send("server", "RST")
    own.call("sendto", 3, errno="EPIPE", length=100)
    assert "although a RST of server (10.0.0.2:80) had come at" in str(only(story, "broken-pipe"))


def test_a_send_after_ones_own_shutdown() -> None:
    story, talk = connected()
    call = talk.client.begin("shutdown", 3, how="SHUT_WR")
    talk.send("client", "FIN-ACK")
    talk.client.end(call)
    talk.client.call("sendto", 3, errno="EPIPE", length=100)
    diagnosis = only(story, "broken-pipe")
    assert "although it had itself called shutdown at" in diagnosis.sentence
    assert diagnosis.advice == "Send everything before shutdown(SHUT_WR)."


def test_another_signal_is_no_broken_pipe() -> None:
    story, talk = connected()
    talk.say("client", 5)
    talk.server.begin("sendto", 4, length=100)
    talk.server.exit(signal="SIGTERM")
    assert "broken-pipe" not in rules(story)
