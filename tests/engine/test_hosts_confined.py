"""What a host can do and reach: no capabilities, limits, its own networks and nothing else."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from labctl.engine import down, inside, live
from labctl.engine.client import Engine
from labctl.engine.live import LiveLab
from labctl.lab.places import data_root

from .conftest import labctl

TCP = data_root() / "labs" / "tcp" / "compose.yaml"


@pytest.fixture(scope="module")
def tcp(engine: Engine) -> Iterator[LiveLab]:
    """The lab tcp, up: client and server on two networks that the router r1 joins."""
    name = "t-confined"
    down.down(engine, name)
    up = labctl("up", str(TCP), "--name", name)
    assert up.code == 0, up.err
    yield live.find(engine, name)
    down.down(engine, name)


def told(engine: Engine, lab: LiveLab, host: str, *argv: str) -> str:
    done = inside.run(engine, lab.host(host), argv, timeout=20)
    assert done.code == 0, done
    return done.stdout.decode()


@pytest.mark.parametrize("host", ["client", "server"])
def test_a_host_has_no_capability_and_no_root(engine: Engine, tcp: LiveLab, host: str) -> None:
    status = dict(
        line.split(":", 1) for line in told(engine, tcp, host, "cat", "/proc/1/status").splitlines()
    )
    sets = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    assert [int(status[key], 16) for key in sets] == [0] * 5
    assert set(status["Uid"].split()) == set(status["Gid"].split()) == {"1000"}
    assert status["NoNewPrivs"].strip() == "1"


def test_the_router_has_net_admin_only(engine: Engine, tcp: LiveLab) -> None:
    status = told(engine, tcp, "r1", "cat", "/proc/1/status")
    bounding = next(line for line in status.splitlines() if line.startswith("CapBnd"))
    assert int(bounding.split()[1], 16) == 1 << 12  # CAP_NET_ADMIN, capabilities(7)


def test_a_host_has_limits_and_an_init(engine: Engine, tcp: LiveLab) -> None:
    details = engine.sdk.api.inspect_container(tcp.host("server").container)["HostConfig"]
    assert details["Init"] is True
    assert 0 < details["PidsLimit"] <= 512
    assert 0 < details["Memory"] <= 1 << 30
    assert 0 < details["NanoCpus"] <= 10**9


def test_a_packet_crosses_the_router(engine: Engine, tcp: LiveLab) -> None:
    server = tcp.host("server").addresses["net-server"]
    said = told(engine, tcp, "client", "ping", "-c", "1", "-W", "5", "-t", "2", server)
    assert "ttl=63" in said  # 64 less the one hop


def test_with_a_ttl_of_1_the_router_answers(engine: Engine, tcp: LiveLab) -> None:
    argv = ["ping", "-c", "1", "-W", "5", "-t", "1", "server"]
    done = inside.run(engine, tcp.host("client"), argv, timeout=20)
    assert done.code == 1
    assert b"Time to live exceeded" in done.stdout


def outside_addresses(engine: Engine) -> list[str]:
    """Return addresses of this machine, where a host of a lab must not get to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.254", 9))  # for UDP this only chooses the source address
        own = probe.getsockname()[0]
    bridge = engine.sdk.api.networks(names=["bridge"])[0]["IPAM"]["Config"][0]
    return [own, bridge.get("Gateway") or bridge["Subnet"].partition("/")[0]]


@pytest.mark.parametrize("host", ["client", "r1"])
def test_nothing_outside_the_lab_is_reached(engine: Engine, tcp: LiveLab, host: str) -> None:
    for address in outside_addresses(engine):
        argv = ["ping", "-c", "1", "-W", "1", address]
        done = inside.run(engine, tcp.host(host), argv, timeout=20)
        assert done.code != 0, done.stdout


def test_the_machine_has_no_address_on_a_routed_network(tcp: LiveLab) -> None:
    routes = Path("/proc/net/route").read_text()
    from labctl.engine.pool import machine_routes

    assert not {str(route) for route in machine_routes(routes)} & set(tcp.networks.values())


def test_a_name_of_another_network_is_known(engine: Engine, tcp: LiveLab) -> None:
    line = told(engine, tcp, "client", "getent", "ahostsv4", "server")
    assert line.split()[0] == tcp.host("server").addresses["net-server"]
