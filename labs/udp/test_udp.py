"""The lab udp, checked on its hosts: one socket, no connection, datagrams of every size."""

from __future__ import annotations

import json
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from labctl.play.seen import SeenTimeline
from labctl.play.under_test import LabUnderTest

HOSTS = ("client", "server", "r1")
Host = Callable[[str], Any]


def ask(lab: LabUnderTest, *words: str) -> list[dict[str, Any]]:
    """Return the client's reports of its requests to the server."""
    done = lab.exec("client", "udp_client", "server", *words, "--json")
    assert done.code == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_only_the_server_is_bound_and_nobody_listens(host: Host) -> None:
    assert host("server").socket("udp://0.0.0.0:9000").is_listening
    for name in ("client", "server"):
        listening = host(name).check_output("ss -Htln").splitlines()
        assert not [line for line in listening if "127.0.0.11" not in line]
    assert ":9000" not in host("client").check_output("ss -Huan")


def test_client_and_server_are_on_different_networks(lab: LabUnderTest) -> None:
    networks = {name: IPv4Network(lab.subnet(f"net-{name}")) for name in ("client", "server")}
    assert not networks["client"].overlaps(networks["server"])
    for name, network in networks.items():
        assert IPv4Address(lab.address(name)) in network
        assert IPv4Address(lab.address("r1", f"net-{name}")) in network


def test_every_host_has_a_network_namespace_of_its_own(host: Host) -> None:
    inodes = {name: host(name).check_output("readlink /proc/self/ns/net") for name in HOSTS}
    assert len(set(inodes.values())) == len(HOSTS), inodes


def test_the_server_runs_as_an_ordinary_user(host: Host) -> None:
    servers = host("server").process.filter(user="student", comm="udp_server")
    assert len(servers) == 1


def test_the_scenario(lab: LabUnderTest) -> None:
    result = lab.run("exchange")
    assert result.passed, result.failed_step


@pytest.mark.parametrize("size", [0, 1, 1472, 1473, 65507])
def test_a_datagram_of_any_size_arrives_whole(lab: LabUnderTest, size: int) -> None:
    (report,) = ask(lab, "size", str(size))
    assert report["reply"] == "x" * size
    assert report["remote"] == [lab.address("server"), 9000]


def test_a_request_of_many_fragments_arrives_whole(lab: LabUnderTest) -> None:
    text = "".join(f"{number:5d}" for number in range(10_000))
    (report,) = ask(lab, "echo", text)
    assert report["reply"] == text


def test_one_socket_serves_every_client_and_names_it(lab: LabUnderTest, host: Host) -> None:
    reports = ask(lab, "echo", "who am I", "--count", "10")
    heard = [line.split() for line in lab.logged("server", "who am I", times=10)]
    ports = [report["local"][1] for report in reports]
    assert [line[0] for line in heard] == [f"{lab.address('client')}:{port}" for port in ports]
    first, last = host("server").check_output("cat /proc/sys/net/ipv4/ip_local_port_range").split()
    assert all(int(first) <= port <= int(last) for port in ports)
    sockets = host("server").check_output("ss -Huan").splitlines()
    assert len([line for line in sockets if "127.0.0.11" not in line]) == 1


def test_a_connected_socket_knows_its_own_address(lab: LabUnderTest) -> None:
    assert ask(lab, "time")[0]["local"][0] == "0.0.0.0"
    assert ask(lab, "time", "--connect")[0]["local"][0] == lab.address("client")


def test_only_a_connected_socket_hears_that_nobody_listens(lab: LabUnderTest) -> None:
    result = lab.run("nobody-listens")
    assert result.passed, result.failed_step
    assert "no answer to 3 datagrams" in result.step("unconnected").stderr
    assert "Connection refused" in result.step("connected").stderr


@pytest.mark.scenario("exchange")
def test_there_is_no_listen_no_accept_and_no_connect(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)


@pytest.mark.scenario("nobody-listens")
def test_every_datagram_to_a_port_that_nobody_has_is_answered_by_icmp(
    timeline: SeenTimeline,
) -> None:
    assert timeline.matches(timeline.declared)


def test_what_comes_while_the_server_is_busy_waits_in_its_receive_queue(
    lab: LabUnderTest,
) -> None:
    assert lab.exec("server", "pkill", "-STOP", "-x", "udp_server").code == 0
    try:
        asked = "udp_client server echo patience --timeout 20 --json > /tmp/reply"
        assert lab.exec("client", "sh", "-c", f"{asked} 2>&1 &").code == 0
        queue = "ss -Huan 'sport = 9000' | grep '^UNCONN *[1-9]'"
        assert (
            lab.exec("server", "timeout", "10", "sh", "-c", f"until {queue}; do :; done").code == 0
        )
        assert lab.exec("client", "cat", "/tmp/reply").stdout == b""
    finally:
        assert lab.exec("server", "pkill", "-CONT", "-x", "udp_server").code == 0
    answered = "until grep patience /tmp/reply; do :; done"
    done = lab.exec("client", "timeout", "10", "sh", "-c", answered)
    report = json.loads(done.stdout)
    assert (report["reply"], report["tries"]) == ("patience", 1)


def test_the_ways_to_ask_wrongly_are_one_line_each(lab: LabUnderTest) -> None:
    for words in (["echo", "y" * 65_503], ["--port", "9001", "--connect"]):
        done = lab.exec("client", "udp_client", "server", *words)
        assert (done.code, done.stderr.count(b"\n")) == (1, 1), done.stderr
    taken = lab.exec("server", "udp_server")
    assert taken.code == 1
    assert b"Address already in use" in taken.stderr
