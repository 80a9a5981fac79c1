"""The lab ports, checked on its hosts: who has which port, for how long, and when none is left."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from labctl.play.seen import SeenTimeline
from labctl.play.under_test import LabUnderTest
from labctl.sequence.connects import connects
from labctl.sequence.diagnose import diagnose

Host = Callable[[str], Any]
NARROW = {40000, 40001, 40002, 40003}


def call(lab: LabUnderTest, host: str, *words: str) -> list[dict[str, Any]]:
    """Return the reports of a hello_client, one for each connection."""
    done = lab.exec(host, "hello_client", *words, "--json")
    return [json.loads(line) for line in done.stdout.splitlines()]


def port_range(host: Host, name: str) -> range:
    first, last = host(name).check_output("cat /proc/sys/net/ipv4/ip_local_port_range").split()
    return range(int(first), int(last) + 1)


def ports_of(stdout: str) -> list[int]:
    """Return the clients' ports in what a hello_client has printed."""
    return [int(port) for port in re.findall(r"^port (\d+) to", stdout, re.MULTILINE)]


def client_ports(timeline: SeenTimeline) -> list[int]:
    """Return the clients' ports as they were on the wire, in the order of time."""
    tcp = (c.client.endpoint for c in timeline.connections if c.protocol == "tcp")
    return [endpoint.port for endpoint in tcp if endpoint is not None]


def test_only_the_server_has_a_port_before_anybody_calls(host: Host) -> None:
    assert host("server").socket("tcp://0.0.0.0:7000").is_listening
    for name in ("client", "narrow"):
        assert not [s for s in host(name).socket.get_listening_sockets() if "127.0.0.11" not in s]


def test_each_connection_has_another_port_of_the_kernels_range(
    lab: LabUnderTest, host: Host
) -> None:
    reports = call(lab, "client", "server:7000", "--count", "20")
    own = [report["local"][1] for report in reports]
    assert len(set(own)) == len(own) == 20
    assert set(own) <= set(port_range(host, "client"))
    # The server saw the same ports.
    seen = [report["line"] for report in reports]
    assert seen == [f"hello {lab.address('client')}:{port}, this is one" for port in own]


def test_a_port_is_given_back(lab: LabUnderTest, host: Host) -> None:
    assert set(port_range(host, "narrow")) == NARROW
    reports = call(lab, "narrow", "server:7000", "--count", "12")
    assert [report["errno"] for report in reports] == [None] * 12
    assert {report["local"][1] for report in reports} <= NARROW
    assert host("narrow").check_output("ss -Htan 'dport = 7000'") == ""
    # The server closed first, so TIME-WAIT is on its side.
    waiting = host("server").check_output("ss -Htan state time-wait 'sport = 7000'")
    assert lab.address("narrow") in waiting


@pytest.mark.scenario("ephemeral")
def test_no_client_binds_and_connect_fills_in_the_address(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)
    for client, count in (("client", 5), ("narrow", 12)):
        asks = {client: ["socket", "connect", "recv+", "recv=0", "close"]}
        assert timeline.matches({**asks, "port": 7000, "connections": count})
    own = client_ports(timeline)
    assert (len(set(own[:5])), len(own)) == (5, 17)
    assert set(own[5:]) <= NARROW


@pytest.mark.scenario("exhausted")
def test_the_fifth_connection_finds_no_port(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)
    told = connects(timeline)
    assert [one.errno for one in told] == [None] * 4 + ["EADDRNOTAVAIL", None]
    assert told[4].packets == ()
    # Towards another port of the server one of the same four is free.
    assert [one.target.port for one in told if one.target] == [7001] * 5 + [7000]
    own = client_ports(timeline)
    assert set(own[:4]) == NARROW
    assert own[4] in NARROW


@pytest.mark.scenario("exhausted")
def test_labctl_says_what_holds_the_ports(timeline: SeenTimeline) -> None:
    (said,) = [one for one in diagnose(timeline) if one.rule == "no-port-left"]
    assert (said.level, said.host) == ("error", "narrow")
    assert "4 connections open, 0 in TIME-WAIT" in said.sentence


def test_time_wait_holds_a_port(lab: LabUnderTest) -> None:
    result = lab.run("time-wait")
    assert result.passed, result.failed_step
    assert set(ports_of(result.step("four").stdout)) == NARROW
    lines = [one.split() for one in result.step("waiting").stdout.splitlines()[1:]]
    waiting = [int(one[3].rpartition(":")[2]) for one in lines if one[0] == "TIME-WAIT"]
    assert sorted(waiting) == sorted(NARROW)
    first, second = result.step("fifth").stdout.splitlines()
    assert first.startswith(f"{lab.address('server')}:7002: connect: EADDRNOTAVAIL")
    assert ports_of(second)[0] in NARROW


def test_a_port_has_one_server(lab: LabUnderTest) -> None:
    for reuse in ("none", "addr", "port"):
        done = lab.exec("server", "hello_server", "--port", "7000", "--reuse", reuse)
        assert (done.code, done.stdout) == (1, b"")
        assert b"cannot listen on 0.0.0.0:7000: Address already in use" in done.stderr


@pytest.mark.scenario("shared")
def test_with_so_reuseport_two_servers_share_a_port(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)
    taken = [
        connection.server.socket.listener
        for connection in timeline.connections
        if connection.server.endpoint and connection.server.endpoint.port == 7003
        if connection.server.socket
    ]
    assert len(taken) == 40
    assert len(set(taken)) == 2, "one of the two servers got all connections"
    refused = [call for call in timeline.calls if call.errno == "EADDRINUSE"]
    assert [call.name for call in refused] == ["bind", "bind"]


def test_so_reuseaddr_lets_a_server_have_its_port_again(lab: LabUnderTest) -> None:
    result = lab.run("restart")
    assert result.passed, result.failed_step
    assert "TIME-WAIT" in result.step("waiting").stdout
    assert "Address already in use" in result.step("without").stderr
    assert "listening on 0.0.0.0:7004" in result.step("with").stdout


def test_what_bind_does_not_give(lab: LabUnderTest) -> None:
    result = lab.run("refused")
    assert result.passed, result.failed_step
    assert "cannot listen on 0.0.0.0:80: Permission denied" in result.step("low").stderr
    assert "Cannot assign requested address" in result.step("not-mine").stderr
    assert f"listening on {lab.address('server')}:7005" in result.step("mine").stdout


@pytest.mark.parametrize("name", ["server", "client"])
def test_the_kernel_says_from_which_port_on_everybody_may(lab: LabUnderTest, name: str) -> None:
    start = int(lab.exec(name, "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start").stdout)
    for port in (80, 1023, 1024):
        bind = f"import socket; socket.socket().bind(('0.0.0.0', {port}))"
        done = lab.exec(name, "python3", "-c", bind)
        assert (done.code == 0) is (port >= start), done.stderr
        assert (b"Permission denied" in done.stderr) is (port < start)
    if name == "server":
        assert start == 1024


@pytest.mark.scenario("wrong")
def test_the_broken_programs_are_rejected(timeline: SeenTimeline) -> None:
    verdict = timeline.matches(timeline.declared)
    assert not verdict
    timeline.failed.clear()  # as it must be
    said = " ".join(str(verdict).split())
    assert "A client called bind: that is not wrong, but it fixes the port" in said
    assert "client should never call bind, but did" in said
    assert "server should never call bind=EADDRINUSE, but did" in said
    # The client that leaves its port to the kernel is not among them.
    assert verdict.failing == 1
    found = {one.rule: one for one in diagnose(timeline) if one.level != "info"}
    assert set(found) == {"client-bound-fixed-port", "time-wait", "address-in-use"}
    assert found["time-wait"].host == "client"
