"""Connections that were refused, and why nobody took them."""

from __future__ import annotations

import pytest

from tests.unit.sequence.build import Story, Thread
from tests.unit.sequence.diagnose.found import found, only, pair, rules
from tests.unit.sequence.exchanges import CLIENT, SERVER, Dialogue, listening, tcp_socket


def refuse(client: Thread, target: str = f"{SERVER}:80", port: int = 40000, fd: int = 3) -> None:
    """A client's socket and connect, answered by RST."""
    story = client.story
    loopback = client.host if target.startswith("127.") else None
    own = f"{'127.0.0.1' if loopback else story.addresses[client.host]}:{port}"
    tcp_socket(client, fd)
    call = client.begin("connect", fd, address=target)
    story.segment(own, target, "SYN", 0, host=loopback)
    story.segment(target, own, "RST-ACK", 1, 1, host=loopback)
    client.end(call, errno="ECONNREFUSED")


def test_a_server_on_the_loopback_address_refuses_other_hosts() -> None:
    story, client, server = pair()
    listening(server, "127.0.0.1:80")
    refuse(client)
    diagnosis = only(story, "loopback-bound")
    assert diagnosis.sentence == (
        "client was refused at 110 µs when it connected to 10.0.0.2:80: process 10 of server is"
        " bound to 127.0.0.1:80 only, which nobody but server itself can reach, not to 10.0.0.2."
    )
    assert diagnosis.advice.startswith("Let the server bind 0.0.0.0")
    assert (diagnosis.level, diagnosis.host, diagnosis.connections) == ("error", "server", (1,))
    names = [getattr(event, "name", "segment") for event in diagnosis.events]
    assert names == ["bind", "listen", "connect", "segment", "segment"]


def test_the_same_refusal_of_many_is_said_once() -> None:
    story, client, server = pair()
    listening(server, "127.0.0.1:80")
    for number in range(50):
        refuse(client, port=40000 + number, fd=3 + number)
    diagnosis = only(story, "loopback-bound")
    assert diagnosis.sentence.endswith(" ... and the same with 49 more connections.")
    assert len(diagnosis.connections) == 50


def test_a_client_on_the_same_host_reaches_the_loopback_address() -> None:
    story = Story(server=SERVER)
    server, client = story.thread("server", 10), story.thread("server", 100)
    listening(server, "127.0.0.1:80")
    talk = Dialogue(client, server, address="127.0.0.1")
    talk.connect()
    talk.accept()
    assert not rules(story)


def test_a_server_on_another_of_its_addresses() -> None:
    story, client, server = pair()
    listening(server, "10.9.9.9:80")
    refuse(client)
    diagnosis = only(story, "loopback-bound")
    assert "is bound to 10.9.9.9:80 only, not to 10.0.0.2" in diagnosis.sentence


def test_nobody_listens() -> None:
    story, client, _ = pair()
    refuse(client)
    diagnosis = only(story, "refused-nobody")
    assert diagnosis.sentence == (
        "client was refused at 50 µs when it connected to 10.0.0.2:80: nothing on server listens"
        " on port 80."
    )


def test_a_host_that_was_not_observed() -> None:
    story = Story(client=CLIENT)
    refuse(story.thread("client"))
    assert "a host that was not observed" in only(story, "refused-nobody").sentence


def test_bound_but_not_listening() -> None:
    story, client, server = pair()
    tcp_socket(server)
    server.call("bind", 3, address="0.0.0.0:80")
    refuse(client)
    diagnosis = only(story, "refused-not-listening")
    assert "process 10 of server had bound 0.0.0.0:80 but had not called listen" in str(diagnosis)


def test_the_server_listens_only_later() -> None:
    story, client, server = pair()
    refuse(client)
    listening(server)
    diagnosis = only(story, "refused-listen-later")
    assert "process 10 of server called listen for 0.0.0.0:80 only 80 µs later" in str(diagnosis)
    assert diagnosis.level == "error"


def test_trying_again_until_the_server_listens_is_no_mistake() -> None:
    story, client, server = pair()
    refuse(client)
    listening(server)
    talk = Dialogue(client, server, 40001, client_fd=4)
    talk.connect()
    talk.accept()
    diagnosis = only(story, "refused-listen-later")
    assert diagnosis.level == "info"
    assert diagnosis.sentence.endswith("; a later try succeeded.")


def test_the_server_has_closed() -> None:
    story, client, server = pair()
    listening(server)
    server.call("close", 3)
    refuse(client)
    diagnosis = only(story, "refused-closed")
    assert "process 10 of server had closed the socket bound to 0.0.0.0:80" in str(diagnosis)


def test_the_server_listens_on_another_port() -> None:
    story, client, server = pair()
    listening(server, "0.0.0.0:8080")
    refuse(client)
    diagnosis = only(story, "refused-other-port")
    assert "nothing on server listens on port 80, but process 10 of server has port 8080" in str(
        diagnosis
    )


@pytest.mark.parametrize("late", [True, False])
def test_the_server_listens_without_bind(late: bool) -> None:
    story, client, server = pair()
    tcp_socket(server)
    server.call("listen", 3, backlog=5)
    if late:
        server.call("bind", 3, errno="EINVAL", address="0.0.0.0:80")
    refuse(client)
    diagnosis = only(story, "refused-other-port")
    assert (
        "nothing on server listens on port 80, but process 10 of server called listen without a"
        " successful bind, so that its port is one that the kernel chose."
    ) in diagnosis.sentence


def test_a_client_that_calls_its_own_host() -> None:
    story, client, server = pair()
    listening(server)
    refuse(client, "127.0.0.1:80")
    diagnosis = only(story, "refused-own-host")
    assert "127.0.0.1 is client itself; who has port 80 is server (0.0.0.0:80)" in str(diagnosis)


@pytest.mark.parametrize("answered", [True, False])
def test_a_datagram_to_a_port_that_nobody_has(answered: bool) -> None:
    story, client, server = pair()
    client.call("socket", result=3, family="AF_INET", type="SOCK_DGRAM")
    server.call("socket", result=3, family="AF_INET", type="SOCK_DGRAM")
    server.call("bind", 3, address="127.0.0.1:53")
    call = client.begin("sendto", 3, length=5, address=f"{SERVER}:53")
    story.segment(f"{CLIENT}:50000", f"{SERVER}:53", protocol="udp", length=5)
    client.end(call, 5)
    if answered:
        about = f"port unreachable {SERVER}:53 udp"
        story.segment(f"{SERVER}:53", f"{CLIENT}:50000", protocol="icmp", about=about)
        client.call("recvfrom", 3, errno="ECONNREFUSED", length=100)
        diagnosis = only(story, "port-unreachable")
        assert "came back as ICMP port unreachable" in diagnosis.sentence
        assert "process 10 of server is bound to 127.0.0.1:53 only" in diagnosis.sentence
        assert diagnosis.host == "server"
    else:
        assert not found(story)
