"""EADDRINUSE, and what leads to it."""

from __future__ import annotations

import pytest

from tests.unit.sequence.build import Story, Thread
from tests.unit.sequence.diagnose.found import SECOND, found, only, pair, rules
from tests.unit.sequence.exchanges import Dialogue, listening, tcp_socket


def reuse(thread: Thread) -> None:
    thread.call("setsockopt", 3, level="SOL_SOCKET", option="SO_REUSEADDR", value=1)


def first_run(first_closes: str = "server", reuses: bool = False) -> Story:
    """A server serves one client and ends; `first_closes` goes to TIME-WAIT."""
    story, client, server = pair()
    tcp_socket(server)
    if reuses:
        reuse(server)
    server.call("bind", 3, address="0.0.0.0:80")
    server.call("listen", 3, backlog=5)
    talk = Dialogue(client, server)
    talk.connect()
    talk.accept()
    talk.say("client", 10)
    talk.close(first_closes)
    talk.close("client" if first_closes == "server" else "server")
    server.call("close", 3)
    server.exit()
    return story


def second_run(story: Story, reuses: bool = False) -> Thread:
    server = story.thread("server", 11)
    tcp_socket(server)
    if reuses:
        reuse(server)
    server.call("bind", 3, errno="EADDRINUSE", address="0.0.0.0:80")
    return server


def test_the_port_is_held_by_time_wait() -> None:
    story = first_run()
    story.tick(2 * SECOND)
    second_run(story)
    diagnosis = only(story, "time-wait")
    assert diagnosis.sentence == (
        "bind of process 11 on server to 0.0.0.0:80 failed at 2.00 s with EADDRINUSE although no"
        " socket has the port: server had closed its connection with client (10.0.0.1:40000)"
        " first, 2.00 s before, so that it stays in TIME-WAIT for 60 s; SO_REUSEADDR was not set."
    )
    assert diagnosis.advice.startswith("Set SO_REUSEADDR before bind")
    assert (diagnosis.level, diagnosis.host, diagnosis.connections) == ("error", "server", (1,))


def test_a_tracer_that_does_not_tell_the_address_of_a_failed_bind() -> None:
    story = first_run()
    server = story.thread("server", 11)
    tcp_socket(server)
    server.call("bind", 3, errno="EADDRINUSE")
    assert "bind of process 11 on server to 0.0.0.0:80 failed" in only(story, "time-wait").sentence


def test_the_old_socket_must_have_had_the_option_too() -> None:
    story = first_run()
    second_run(story, reuses=True)
    assert only(story, "time-wait").sentence.endswith(
        "this socket has SO_REUSEADDR, but the one that had the port before had not."
    )


def test_the_state_tells_it_where_no_packet_was_seen() -> None:
    story = first_run()
    story.segments = [segment for segment in story.segments if "FIN" not in segment.flags]
    story.state("server", "10.0.0.2:80", "10.0.0.1:40000", "FIN-WAIT-2", "TIME-WAIT")
    second_run(story)
    only(story, "time-wait")


def test_time_wait_is_over() -> None:
    story = first_run()
    story.tick(61 * SECOND)
    second_run(story)
    assert "time-wait" not in rules(story)


def test_the_client_closed_first_and_is_the_one_in_time_wait() -> None:
    story = first_run("client")
    second_run(story)
    assert "time-wait" not in rules(story)


def test_another_process_has_the_port() -> None:
    story, _, server = pair()
    listening(server)
    second_run(story)
    diagnosis = only(story, "address-in-use")
    assert diagnosis.sentence == (
        "bind of process 11 on server to 0.0.0.0:80 failed at 80 µs with EADDRINUSE: process 10"
        " has a socket on 0.0.0.0:80."
    )
    assert rules(story) == {"address-in-use"}


def test_the_same_process_has_it() -> None:
    story, _, server = pair()
    listening(server)
    tcp_socket(server, 4)
    server.call("bind", 4, errno="EADDRINUSE", address="0.0.0.0:80")
    assert "EADDRINUSE: the same process has a socket on" in str(only(story, "address-in-use"))


@pytest.mark.parametrize("meant", [True, False])
def test_a_client_that_binds_a_port(meant: bool) -> None:
    story, client, server = pair()
    listening(server)
    talk = Dialogue(client, server)
    tcp_socket(client)
    if meant:
        reuse(client)
    client.call("bind", 3, address="0.0.0.0:40000")
    call = client.begin("connect", 3, address="10.0.0.2:80")
    for by, flags in (("client", "SYN"), ("server", "SYN-ACK"), ("client", "ACK")):
        talk.send(by, flags)
    client.end(call)
    talk.accept()
    diagnosis = only(story, "client-bound-fixed-port")
    assert "a client, bound its descriptor 3 to port 40000 at" in diagnosis.sentence
    assert diagnosis.level == ("info" if meant else "warning")


def test_a_client_that_binds_any_port_is_free_of_it() -> None:
    story, client, _ = pair()
    tcp_socket(client)
    client.call("bind", 3, address="0.0.0.0:0")
    client.begin("connect", 3, address="10.0.0.2:80")
    assert not found(story)
