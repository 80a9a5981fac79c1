"""Fixed addresses and subnets of a lab file (RFC 4632 prefixes)."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise
from typing import Any

from labctl.lab.extends import Service
from labctl.lab.lab import HostDecl
from labctl.lab.report import Report
from labctl.lab.source import KeyPath

_ENDS = "labctl keeps the last part of it when it moves the network to a subnet of its pool"


def read_subnets(
    networks: Mapping[str, dict[str, Any]], report: Report
) -> dict[str, IPv4Network | None]:
    """Return each network's IPv4 subnet, None where the file gives none; report wrong ones."""
    subnets: dict[str, IPv4Network | None] = {}
    for name, part in networks.items():
        ipam = part.get("ipam")
        pools = ipam.get("config") if isinstance(ipam, dict) else None
        subnets[name] = None
        for i, pool in enumerate(pools if isinstance(pools, list) else ()):
            text = pool.get("subnet") if isinstance(pool, dict) else None
            if isinstance(text, str) and ":" not in text and "$" not in text:
                path = ("networks", name, "ipam", "config", i, "subnet")
                subnets[name] = subnets[name] or _subnet(text, path, report)
    _check_overlaps(subnets, report)
    return subnets


def _subnet(text: str, path: KeyPath, report: Report) -> IPv4Network | None:
    try:
        return IPv4Network(text)
    except ValueError:
        report.at_value(path, f'"{text}" is not a subnet', "write it as 10.80.0.0/28")
        return None


def _check_overlaps(subnets: Mapping[str, IPv4Network | None], report: Report) -> None:
    known = sorted((subnet, name) for name, subnet in subnets.items() if subnet is not None)
    for (first, name), (second, other) in pairwise(known):
        if first.overlaps(second):
            report.at_value(
                ("networks", other, "ipam", "config", 0, "subnet"),
                f"the subnets of {name} ({first}) and {other} ({second}) overlap",
                "give each network a subnet of its own, or none: labctl chooses one",
            )


def check_addresses(
    hosts: Mapping[str, HostDecl],
    services: Mapping[str, Service],
    subnets: Mapping[str, IPv4Network | None],
    report: Report,
) -> None:
    """Report fixed addresses that no host can have or that two would have."""
    taken: dict[tuple[str, IPv4Address], str] = {}
    for host in hosts.values():
        for name, part in (services[host.name].networks or {}).items():
            text = part.get("ipv4_address")
            if host.template or name not in subnets or text is None or "$" in str(text):
                continue
            path = ("services", host.name, "networks", name, "ipv4_address")
            address = _address(str(text), path, report)
            if address is None or not _fits(address, host, name, subnets[name], path, report):
                continue
            first = taken.setdefault((name, address), host.name)
            if first != host.name:
                message = f"hosts {first} and {host.name} have the same address {address}"
                report.at_value(path, f"{message} on {name}", "give each one of its own, or none")


def _address(text: str, path: KeyPath, report: Report) -> IPv4Address | None:
    try:
        return IPv4Address(text)
    except ValueError:
        report.at_value(path, f'"{text}" is not an IPv4 address', "write it as 10.80.0.2")
        return None


def _fits(
    address: IPv4Address,
    host: HostDecl,
    network: str,
    subnet: IPv4Network | None,
    path: KeyPath,
    report: Report,
) -> bool:
    if host.scale > 1:
        message = f"host {host.name} has a fixed address and scale: {host.scale}"
        hint = "remove `ipv4_address`: labctl gives each copy one"
    elif subnet is None:
        message = f"host {host.name} has a fixed address, but network {network} has no subnet"
        hint = f"remove it, or: networks: {network}: ipam: config: [{{subnet: 10.80.0.0/28}}]"
    elif address not in subnet:
        message = f"{address} lies outside the subnet {subnet} of network {network}"
        hint = f"use one from {subnet[2]} to {subnet[-2]}; {_ENDS}"
    elif address in (subnet[0], subnet[-1]):
        message = f"{address} is the {'network' if address == subnet[0] else 'broadcast'} address"
        hint = f"use one from {subnet[2]} to {subnet[-2]}"
    elif address == subnet[1]:
        message = f"{address} is the gateway's address on network {network}"
        hint = f"use one from {subnet[2]} to {subnet[-2]}; a router claims it when it starts"
    else:
        return True
    report.at_value(path, message, hint)
    return False
