"""The lab tcp, checked on its hosts: sockets, networks, processes, and the file that crosses."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from labctl.play.seen import SeenTimeline
from labctl.play.under_test import LabUnderTest

HOSTS = ("client", "server", "r1")
Host = Callable[[str], Any]


def test_only_the_server_listens(host: Host) -> None:
    assert host("server").socket("tcp://0.0.0.0:8080").is_listening
    assert not [s for s in host("client").socket.get_listening_sockets() if "127.0.0.11" not in s]


def test_client_and_server_are_on_different_networks(lab: LabUnderTest) -> None:
    networks = {name: IPv4Network(lab.subnet(f"net-{name}")) for name in ("client", "server")}
    assert not networks["client"].overlaps(networks["server"])
    for name, network in networks.items():
        assert IPv4Address(lab.address(name)) in network
        assert IPv4Address(lab.address("r1", f"net-{name}")) in network


@pytest.mark.parametrize("name", ["client", "server"])
def test_the_way_out_is_the_router(lab: LabUnderTest, host: Host, name: str) -> None:
    gateway = IPv4Network(lab.subnet(f"net-{name}"))[1]
    assert f"default via {gateway}" in host(name).check_output("ip route")
    assert f"{gateway}/28" in host("r1").check_output("ip -4 address")


def test_every_host_has_a_network_namespace_of_its_own(host: Host) -> None:
    inodes = {name: host(name).check_output("readlink /proc/self/ns/net") for name in HOSTS}
    assert len(set(inodes.values())) == len(HOSTS), inodes


def test_the_server_runs_as_an_ordinary_user(host: Host) -> None:
    servers = host("server").process.filter(user="student", comm="tcp_server")
    assert len(servers) == 1
    assert host("server").check_output("id -u") == "1000"


def test_the_file_arrives_bit_for_bit(lab: LabUnderTest, host: Host) -> None:
    result = lab.run("download")
    assert result.passed, result.failed_step
    sent = host("server").file("/srv/files/numbers.txt")
    received = host("client").file("/tmp/numbers.txt")
    assert received.size == sent.size == 4_088_895
    assert received.sha256sum == sent.sha256sum


def test_the_server_saw_the_clients_address_and_an_ephemeral_port(
    lab: LabUnderTest, host: Host
) -> None:
    lab.exec("server", "sh", "-c", "echo hello > /srv/files/hello.txt")
    assert lab.exec("client", "tcp_client", "server", "hello.txt", "--out", "/tmp/again").code == 0
    first, last = host("server").check_output("cat /proc/sys/net/ipv4/ip_local_port_range").split()
    lines = lab.logged("server", " hello.txt")
    address, _, port = lines[-1].split()[0].rpartition(":")
    assert address == lab.address("client")
    assert int(first) <= int(port) <= int(last)


@pytest.mark.scenario("download")
def test_calls_and_segments_are_those_of_the_figure(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)


@pytest.mark.scenario("spliced")
def test_by_splice_the_segments_are_the_same_and_the_calls_are_not(
    timeline: SeenTimeline,
) -> None:
    assert timeline.matches(timeline.declared)


@pytest.mark.scenario("refused")
def test_a_syn_to_a_port_where_nobody_listens_is_answered_by_rst(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)


def test_a_port_where_nobody_listens_refuses(lab: LabUnderTest) -> None:
    result = lab.run("refused")
    assert result.passed, result.failed_step
    assert "refused" in result.step("connect").stderr.lower()


def test_a_file_that_is_not_there_is_an_error_and_leaves_nothing(
    lab: LabUnderTest, host: Host
) -> None:
    asked = lab.exec("client", "tcp_client", "server", "no-such-file", "--out", "/tmp/none")
    assert asked.code == 1
    assert not host("client").file("/tmp/none").exists


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "link"])
def test_nothing_outside_the_folder_is_given_away(lab: LabUnderTest, name: str) -> None:
    lab.exec("server", "ln", "-sf", "/etc/passwd", "/srv/files/link")
    asked = lab.exec("client", "tcp_client", "server", name, "--out", "/tmp/stolen")
    assert asked.code == 1
    assert lab.exec("client", "test", "-e", "/tmp/stolen").code == 1
