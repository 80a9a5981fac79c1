#!/usr/bin/python3
"""A router between the networks of a lab: claims each network's gateway address, then waits.

Docker gives every host of a network the first usable address as default route, but puts
nobody there on a network of its own. The router takes that address on each of its
interfaces, beside the one it has; forwarding is the kernel's (sysctl net.ipv4.ip_forward=1).

Needs CAP_NET_ADMIN. Environment, for labs with several routers:

    GATEWAYS="10.1.1.0/28 10.1.2.0/28"        claim only these networks' addresses (or none)
    ROUTES="10.1.3.0/28=10.1.2.5 ..."         further networks and the router that leads there
"""

import argparse
import ipaddress
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command import Failure, run, say

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


@dataclass(frozen=True)
class Port:
    """An interface's place in one network: its own address, and all addresses it has there."""

    device: str
    own: ipaddress.IPv4Interface
    addresses: frozenset[ipaddress.IPv4Address]

    @property
    def gateway(self) -> ipaddress.IPv4Address | None:
        """The first usable address of the network; None when it has no room for one."""
        if self.own.network.prefixlen > 30:
            return None
        return self.own.network.network_address + 1


@dataclass(frozen=True)
class Settings:
    """The environment, read. `gateways` None stands for every network."""

    gateways: frozenset[ipaddress.IPv4Network] | None
    routes: dict[ipaddress.IPv4Network, ipaddress.IPv4Address]

    @classmethod
    def read(cls, environment: dict[str, str]) -> "Settings":
        """Raises ValueError for what is no network or address."""
        named = environment.get("GATEWAYS")
        gateways = None if named is None else frozenset(map(ipaddress.IPv4Network, named.split()))
        routes = {}
        for route in environment.get("ROUTES", "").split():
            network, _, via = route.partition("=")
            routes[ipaddress.IPv4Network(network)] = ipaddress.IPv4Address(via)
        return cls(gateways, routes)


def ports(links: list[dict[str, Any]]) -> list[Port]:
    """The networks of `ip -json -4 address show`, without the loopback."""
    found: dict[tuple[str, ipaddress.IPv4Network], list[ipaddress.IPv4Interface]] = {}
    for link in links:
        if "LOOPBACK" in link.get("flags", []):
            continue
        for entry in link.get("addr_info", []):
            address = ipaddress.IPv4Interface(f"{entry['local']}/{entry['prefixlen']}")
            found.setdefault((link["ifname"], address.network), []).append(address)
    return [
        Port(device, addresses[0], frozenset(address.ip for address in addresses))
        for (device, _), addresses in found.items()
    ]


def missing(
    places: list[Port], routes: list[dict[str, Any]], settings: Settings
) -> Iterator[list[str]]:
    """The `ip` commands that are still needed; none when the router is set up.

    `routes` is what `ip -json -4 route show` says.
    """
    for port in places:
        wanted = settings.gateways is None or port.own.network in settings.gateways
        if wanted and port.gateway is not None and port.gateway not in port.addresses:
            address = f"{port.gateway}/{port.own.network.prefixlen}"
            yield ["address", "add", address, "dev", port.device]
    there = {(route["dst"], route.get("gateway")) for route in routes}
    every = ipaddress.IPv4Network("0.0.0.0/0")
    for _, gateway in [route for route in there if route[0] == "default"]:
        if every not in settings.routes or gateway != str(settings.routes[every]):
            yield ["route", "del", "default", *(["via", gateway] if gateway else [])]
    for network, via in settings.routes.items():
        name = "default" if network == every else str(network).removesuffix("/32")
        if (name, str(via)) not in there:
            yield ["route", "replace", str(network), "via", str(via)]


def ip(*words: str) -> str:
    """The output of ip(8). Raises Failure with its own words."""
    try:
        done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    except OSError as error:
        raise Failure(f"ip: {error.strerror}") from error
    if done.returncode != 0:
        raise Failure(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def current() -> tuple[list[Port], list[dict[str, Any]]]:
    links = json.loads(ip("-json", "-4", "address", "show") or "[]")
    return ports(links), json.loads(ip("-json", "-4", "route", "show") or "[]")


def left_to_do(settings: Settings) -> list[list[str]]:
    """The commands of `missing` for this host as it is now. Raises Failure."""
    places, routes = current()
    if not places:
        raise Failure("no network: there is nothing between which to route")
    unknown = (settings.gateways or frozenset()) - {port.own.network for port in places}
    if unknown:
        raise Failure(f"GATEWAYS: not on {', '.join(map(str, unknown))}")
    return list(missing(places, routes, settings))


def set_up(settings: Settings) -> None:
    """Do what is missing and print the networks. Raises Failure."""
    if FORWARDING.read_text().strip() != "1":
        raise Failure("forwarding is off: start it with sysctl net.ipv4.ip_forward=1")
    for command in left_to_do(settings):
        ip(*command)
    for port in current()[0]:
        gateway = port.gateway if port.gateway in port.addresses else "elsewhere"
        say(f"{port.own.network} {port.device} {port.own.ip} gateway {gateway}")
    for network, via in settings.routes.items():
        say(f"{network} via {via}")


def check(settings: Settings) -> None:
    """Raises Failure when something is missing."""
    left = "; ".join(" ".join(command) for command in left_to_do(settings))
    if left:
        raise Failure(f"not set up: {left}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="exit 0 when it is set up, else 1")
    options = parser.parse_args()
    try:
        settings = Settings.read(dict(os.environ))
    except ValueError as error:
        parser.error(f"ROUTES or GATEWAYS: {error}")
    if options.check:
        check(settings)
        return
    set_up(settings)
    say("ready")
    # As the first process of a container it is sent no signal that it does not handle.
    while True:
        signal.pause()


if __name__ == "__main__":
    run(main, ended=0)
