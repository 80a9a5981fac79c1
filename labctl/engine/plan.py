"""From what Compose read in a lab file to what labctl brings up. Pure.

Two steps, with the choice of subnets between them: `shape` (shape.py) expands scaled hosts
and says what networks are needed; `complete` gives every host its address and writes the
project that Compose brings up.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from labctl.engine import labels, routes
from labctl.engine.shape import Host, Network, Shape

_FIRST_HOST = 2  # after the subnet's own address and the gateway's


@dataclass(frozen=True)
class Plan:
    """A lab with addresses: `project` is what Compose is given."""

    shape: Shape
    addresses: dict[str, dict[str, IPv4Address]]
    project: dict[str, Any]


def complete(
    shape: Shape, subnets: Mapping[str, IPv4Network], tags: Mapping[str, str], origin: labels.Origin
) -> Plan:
    """Give every host its address and write the project.

    `subnets` maps each network's key to its subnet; `tags` maps the images that labctl
    makes to the tags they have now; `origin` says on every container whose lab it is.
    """
    addresses = _addresses(shape, subnets)
    moved = _moved(shape, subnets)
    routing = routes.settings({h.name: addresses[h.name] for h in _routers(shape)}, subnets)
    services = {}
    for host in shape.hosts:
        config = copy.deepcopy(host.config)
        _name(config, host, shape.name, origin)
        _use_own_image(config, tags)
        if host.name in routing:
            config["environment"] = {**(config.get("environment") or {}), **routing[host.name]}
        if host.networks:
            config["networks"] = {
                key: _attachment(config, key, host, address)
                for key, address in addresses[host.name].items()
            }
            config["extra_hosts"] = _names(config, host, shape, addresses, moved)
        services[host.name] = config
    volumes = {key: _volume(v or {}, key, shape.name, origin) for key, v in shape.volumes.items()}
    project = {
        "name": shape.name,
        "services": services,
        "networks": {n.key: {"name": n.engine_name, "external": True} for n in shape.networks},
        "volumes": volumes,
        **shape.rest,
    }
    return Plan(shape, addresses, project)


def _routers(shape: Shape) -> list[Host]:
    return [host for host in shape.hosts if routes.is_router(host.config.get("sysctls") or {})]


def _addresses(
    shape: Shape, subnets: Mapping[str, IPv4Network]
) -> dict[str, dict[str, IPv4Address]]:
    result: dict[str, dict[str, IPv4Address]] = {host.name: {} for host in shape.hosts}
    for network in shape.networks:
        subnet = subnets[network.key]
        members = [h for h in shape.hosts if network.key in h.networks]
        fixed = {h.name: _fixed_offset(h, network) for h in members}
        used = {offset for offset in fixed.values() if offset is not None}
        free = (n for n in range(_FIRST_HOST, subnet.num_addresses - 1) if n not in used)
        for host in members:
            offset = fixed[host.name]
            result[host.name][network.key] = subnet[next(free) if offset is None else offset]
    return {  # in the order in which the host's own file names its networks
        host.name: {key: result[host.name][key] for key in host.networks} for host in shape.hosts
    }


def _fixed_offset(host: Host, network: Network) -> int | None:
    told = (host.config["networks"].get(network.key) or {}).get("ipv4_address")
    if told is None or network.wanted is None:
        return None
    return int(IPv4Address(told)) - int(network.wanted.network_address)


def _moved(shape: Shape, subnets: Mapping[str, IPv4Network]) -> list[tuple[IPv4Network, int]]:
    """Return each subnet that the file gives, with how far its addresses have moved."""
    return [
        (n.wanted, int(subnets[n.key].network_address) - int(n.wanted.network_address))
        for n in shape.networks
        if n.wanted is not None
    ]


def _name(config: dict[str, Any], host: Host, lab_name: str, origin: labels.Origin) -> None:
    config["container_name"] = f"{lab_name}-{host.name}"
    config.setdefault("hostname", host.name)
    config["labels"] = {**(config.get("labels") or {}), **labels.for_host(origin, host.name)}
    mode = config.get("network_mode", "")
    if mode.startswith("service:"):
        config["labels"][labels.SIDECAR] = mode.removeprefix("service:")
        config.pop("hostname")  # it has the hostname of the host whose network it shares


def _use_own_image(config: dict[str, Any], tags: Mapping[str, str]) -> None:
    config.pop("build", None)  # every image is there by now
    config["image"] = tags.get(config["image"].removesuffix(":latest"), config["image"])


def _attachment(
    config: Mapping[str, Any], key: str, host: Host, address: IPv4Address
) -> dict[str, Any]:
    attachment = dict((config["networks"] or {}).get(key) or {})
    attachment["ipv4_address"] = str(address)
    if host.name != host.service:
        attachment["aliases"] = [*(attachment.get("aliases") or []), host.service]
    return attachment


def _names(
    config: Mapping[str, Any],
    host: Host,
    shape: Shape,
    addresses: Mapping[str, Mapping[str, IPv4Address]],
    moved: Sequence[tuple[IPv4Network, int]],
) -> list[str]:
    """Return the extra_hosts: the file's own, moved, and hosts on no network of this one.

    Those on a shared network are known to the engine's DNS.
    """
    own = {other.name for other in shape.hosts}
    entries = [
        (name, _move(address, moved))
        for name, _, address in (e.partition("=") for e in config.get("extra_hosts") or [])
        if name not in own
    ]
    entries += [
        (other.name, str(next(iter(addresses[other.name].values()))))
        for other in shape.hosts
        if other.networks and not set(other.networks) & set(host.networks)
    ]
    return [f"{name}={address}" for name, address in entries]


def _move(address: str, moved: Sequence[tuple[IPv4Network, int]]) -> str:
    try:
        old = IPv4Address(address)
    except ValueError:  # IPv6, or Docker's word `host-gateway`
        return address
    for subnet, distance in moved:
        if old in subnet:
            return str(old + distance)
    return address


def _volume(
    config: dict[str, Any], key: str, lab_name: str, origin: labels.Origin
) -> dict[str, Any]:
    if config.get("external"):
        return config
    told = {**(config.get("labels") or {}), **labels.for_lab(origin)}
    return {**config, "name": f"{lab_name}_{key}", "labels": told}
