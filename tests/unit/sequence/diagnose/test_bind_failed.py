"""Addresses and ports that were not given: to bind, and to connect."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.sequence.build import Story, Thread
from tests.unit.sequence.diagnose.found import SECOND, found, only, pair, rules
from tests.unit.sequence.exchanges import CLIENT, SERVER, Dialogue, listening, tcp_socket


def failed_bind(errno: str, address: str | None) -> Story:
    story, _, server = pair()
    tcp_socket(server)
    told: dict[str, Any] = {} if address is None else {"address": address}
    server.call("bind", 3, errno=errno, **told)
    server.call("close", 3)
    return story


def test_a_port_below_1024() -> None:
    story = failed_bind("EACCES", "0.0.0.0:80")
    diagnosis = only(story, "low-port")
    assert diagnosis.sentence == (
        "bind of process 10 on server to 0.0.0.0:80 failed at 20 µs with EACCES: the kernel keeps"
        " port 80 for processes with CAP_NET_BIND_SERVICE, as it does all below the sysctl"
        " net.ipv4.ip_unprivileged_port_start (1024 unless it was changed)."
    )
    assert (diagnosis.level, diagnosis.host) == ("error", "server")


def test_another_hosts_address() -> None:
    story = failed_bind("EADDRNOTAVAIL", f"{CLIENT}:80")
    diagnosis = only(story, "address-not-local")
    assert diagnosis.sentence.endswith(
        f"{CLIENT} is no address of server: none of its interfaces has it, client has."
    )


def test_an_address_that_nobody_has() -> None:
    story = failed_bind("EADDRNOTAVAIL", "192.0.2.9:80")
    diagnosis = only(story, "address-not-local")
    assert diagnosis.sentence.endswith(
        "192.0.2.9 is no address of server: none of its interfaces has it."
    )


@pytest.mark.parametrize(
    ("errno", "rule", "said"),
    [
        ("EACCES", "low-port", "the kernel keeps its port for"),
        ("EADDRNOTAVAIL", "address-not-local", "the address is no address of server"),
    ],
)
def test_a_tracer_that_does_not_tell_the_address(errno: str, rule: str, said: str) -> None:
    (diagnosis,) = found(failed_bind(errno, None))
    assert diagnosis.rule == rule
    assert said in diagnosis.sentence


def test_a_path_is_no_port() -> None:
    story, _, server = pair()
    server.call("socket", result=3, family="AF_UNIX", type="SOCK_STREAM")
    server.call("bind", 3, errno="EACCES", address="/run/x")
    assert not rules(story)


def connections(client: Thread, server: Thread, count: int, closes: str = "") -> None:
    """So many connections of a client, each from a port of its own; who closes them first."""
    for number in range(count):
        fd = 10 + number
        talk = Dialogue(client, server, 40000 + number, client_fd=fd, server_fd=fd)
        talk.connect()
        talk.accept()
        if closes:
            talk.close(closes)
            talk.close("server" if closes == "client" else "client")


def no_more(client: Thread, address: str = f"{SERVER}:80") -> None:
    tcp_socket(client, 9)
    client.call("connect", 9, errno="EADDRNOTAVAIL", address=address)
    client.call("close", 9)


def test_every_port_has_a_connection() -> None:
    story, client, server = pair()
    listening(server)
    connections(client, server, 4)
    no_more(client)
    diagnosis = only(story, "no-port-left")
    assert diagnosis.sentence.endswith(
        "with EADDRNOTAVAIL: every ephemeral port of client was taken by a connection to that"
        " address and port (4 connections open, 0 in TIME-WAIT); towards other servers they are"
        " free."
    )
    assert (diagnosis.level, diagnosis.host) == ("error", "client")
    assert "widen the range" in diagnosis.advice


def test_every_port_is_in_time_wait() -> None:
    story, client, server = pair()
    listening(server)
    connections(client, server, 3, "client")
    story.tick(2 * SECOND)
    no_more(client)
    assert "(0 connections open, 3 in TIME-WAIT)" in only(story, "no-port-left").sentence


def test_where_the_server_closes_first_the_ports_are_free() -> None:
    story, client, server = pair()
    listening(server)
    connections(client, server, 3, "server")
    no_more(client)
    assert "(0 connections open, 0 in TIME-WAIT)" in only(story, "no-port-left").sentence


def test_a_port_that_the_client_bound_is_still_in_use() -> None:
    story, client, server = pair()
    listening(server)
    connections(client, server, 1, "client")
    tcp_socket(client, 9)
    client.call("bind", 9, address="0.0.0.0:40000")
    client.call("connect", 9, errno="EADDRNOTAVAIL", address=f"{SERVER}:80")
    diagnosis = only(story, "no-port-left")
    assert "it had bound port 40000, which has, or has had within the last 60 s" in (
        diagnosis.sentence
    )
    assert diagnosis.advice.startswith("Leave bind out")
