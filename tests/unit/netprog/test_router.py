"""The router: what is still to be done, and the real thing in a network namespace."""

from __future__ import annotations

import ipaddress
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from router import Port, Settings, missing, ports

PROGRAM = Path(__file__).parents[3] / "images" / "host" / "netprog" / "router.py"


def link(name: str, *addresses: str, flags: tuple[str, ...] = ("UP",)) -> dict[str, Any]:
    split = [address.split("/") for address in addresses]
    return {
        "ifname": name,
        "flags": list(flags),
        "addr_info": [{"local": ip, "prefixlen": int(length)} for ip, length in split],
    }


LINKS = [
    link("lo", "127.0.0.1/8", flags=("LOOPBACK", "UP")),
    link("eth0", "10.1.1.5/28"),
    link("eth1", "10.1.2.17/28", "10.1.2.18/28"),
    link("eth2"),
]


def commands(
    routes: list[dict[str, Any]], places: list[Port] | None = None, **environment: str
) -> list[str]:
    settings = Settings.read(environment)
    todo = missing(ports(LINKS) if places is None else places, routes, settings)
    return [" ".join(command) for command in todo]


def test_each_network_gets_its_first_address() -> None:
    assert commands([]) == ["address add 10.1.1.1/28 dev eth0"]
    assert commands([], ports([link("eth1", "10.1.2.18/28")])) == [
        "address add 10.1.2.17/28 dev eth1"
    ]


def test_only_the_networks_it_is_told() -> None:
    assert commands([], GATEWAYS="10.1.2.16/28") == []
    assert commands([], GATEWAYS="") == []
    assert commands([], GATEWAYS="10.1.1.0/28") == ["address add 10.1.1.1/28 dev eth0"]


def test_routes_are_added_once_and_the_default_goes() -> None:
    routes = "10.1.3.0/28=10.1.1.6 10.9.9.9/32=10.1.1.7"
    place = [Port("eth0", ipaddress.IPv4Interface("10.1.1.1/28"), frozenset())]
    default = {"dst": "default", "gateway": "10.1.1.1"}
    there = [{"dst": "10.1.3.0/28", "gateway": "10.1.1.6"}]
    assert commands([default], [], ROUTES=routes) == [
        "route del default via 10.1.1.1",
        "route replace 10.1.3.0/28 via 10.1.1.6",
        "route replace 10.9.9.9/32 via 10.1.1.7",
    ]
    assert commands([*there, {"dst": "10.9.9.9", "gateway": "10.1.1.7"}], [], ROUTES=routes) == []
    assert commands([], place) == ["address add 10.1.1.1/28 dev eth0"]


def test_a_default_route_that_is_wanted_stays() -> None:
    wanted = {"ROUTES": "0.0.0.0/0=10.1.1.9"}
    assert commands([{"dst": "default", "gateway": "10.1.1.9"}], [], **wanted) == []
    assert commands([{"dst": "default", "gateway": "10.1.1.1"}], [], **wanted) == [
        "route del default via 10.1.1.1",
        "route replace 0.0.0.0/0 via 10.1.1.9",
    ]


def test_a_network_without_room_has_no_gateway() -> None:
    assert ports([link("eth0", "10.0.0.1/31")])[0].gateway is None
    assert commands([], ports([link("eth0", "10.0.0.1/32")])) == []


@pytest.mark.parametrize("environment", ["ROUTES=x", "ROUTES=10.0.0.0/8", "GATEWAYS=10.1.1.1/28"])
def test_a_wrong_environment_is_wrong_usage(environment: str) -> None:
    done = subprocess.run(
        ["env", environment, sys.executable, str(PROGRAM), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "ROUTES or GATEWAYS" in done.stderr


NAMESPACE = ["unshare", "--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child"]


def in_namespace(script: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*NAMESPACE, "sh", "-euc", script],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def may_unshare() -> bool:
    return bool(shutil.which("unshare") and shutil.which("ip")) and (
        in_namespace("ip link add try0 type veth peer name try1").returncode == 0
    )


@pytest.mark.skipif(not may_unshare(), reason="this machine lets nobody make a network namespace")
def test_in_a_real_network_namespace(tmp_path: Path) -> None:
    script = f"""
        router="{sys.executable} {PROGRAM}"
        echo 0 > /proc/sys/net/ipv4/ip_forward
        $router --check && exit 9
        for number in 1 2; do
            ip link add net$number type veth peer name far$number
            ip address add 10.1.$number.5/28 dev net$number
            ip link set net$number up
        done
        ip route add default via 10.1.1.1
        $router --check && exit 10
        $router && exit 11
        echo 1 > /proc/sys/net/ipv4/ip_forward
        $router > out &
        until grep -q ready out; do sleep 0.05; done
        $router --check || exit 12
        cat out
        ip -brief -4 address show
        ip route show default
        kill -TERM $!
        wait $! || exit 13
        GATEWAYS=10.9.0.0/24 $router && exit 14
        true
    """
    done = in_namespace(script, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10.1.1.0/28 net1 10.1.1.5 gateway 10.1.1.1" in done.stdout
    assert "10.1.2.5/28 10.1.2.1/28" in done.stdout
    assert "default" not in done.stdout
    assert "no network" in done.stderr
    assert "forwarding is off" in done.stderr
    assert "GATEWAYS: not on 10.9.0.0/24" in done.stderr
    assert "not set up: address add 10.1.1.1/28 dev net1" in done.stderr
