"""What a lab consists of before it has addresses: hosts expanded, networks sized. Pure."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

from labctl.engine.pool import SMALLEST
from labctl.errors import UsageError

DEFAULT_LIMITS: dict[str, Any] = {
    "init": True,
    "pids_limit": 512,
    "mem_limit": 1 << 30,
    "cpus": 1.0,
}
"""What a host gets whose service says nothing of it."""

_RESERVED = 3  # its own address, the gateway's, the broadcast address


@dataclass(frozen=True)
class Host:
    """One container to be: `service` is the Compose service that it was expanded from."""

    name: str
    service: str
    config: dict[str, Any]
    networks: tuple[str, ...]


@dataclass(frozen=True)
class Network:
    """One network to be; `wanted` is the subnet that the file gives, if any."""

    key: str
    engine_name: str
    config: dict[str, Any]
    wanted: IPv4Network | None
    prefix: int


@dataclass(frozen=True)
class Shape:
    """A lab before it has addresses."""

    name: str
    hosts: tuple[Host, ...]
    networks: tuple[Network, ...]
    volumes: dict[str, Any] = field(default_factory=dict)
    rest: dict[str, Any] = field(default_factory=dict)


def shape(project: Mapping[str, Any], name: str, scale: Mapping[str, int]) -> Shape:
    """Expand the project (the output of `docker compose config`) under a name.

    `scale` overrides how many copies of a service there are. Raises UsageError when it
    names a service that the lab does not have.
    """
    services = project.get("services") or {}
    unknown = sorted(set(scale) - set(services))
    if unknown:
        raise UsageError(
            f"--scale names a host that the lab does not have: {unknown[0]}",
            f"Its hosts: {', '.join(sorted(services))}.",
        )
    names = {key: _copies(key, service, scale) for key, service in services.items()}
    _require_supported(project, names)
    lab = str(project.get("name", name))
    hosts = tuple(
        Host(host, key, _service(lab, key, service, names), tuple(service.get("networks") or ()))
        for key, service in services.items()
        for host in names[key]
    )
    if not hosts:
        raise UsageError("the lab has no host to bring up", "Give a service a scale of 1.")
    _require_distinct(hosts)
    networks = tuple(
        _network(key, config or {}, name, [h for h in hosts if key in h.networks])
        for key, config in (project.get("networks") or {}).items()
        if any(key in h.networks for h in hosts)
    )
    rest = {k: v for k, v in project.items() if k in ("configs", "secrets")}
    return Shape(name, hosts, networks, dict(project.get("volumes") or {}), rest)


def _copies(key: str, service: Mapping[str, Any], scale: Mapping[str, int]) -> list[str]:
    replicas = (service.get("deploy") or {}).get("replicas")
    count = scale.get(key, service.get("scale", 1 if replicas is None else replicas))
    return [key] if count == 1 else [f"{key}-{i}" for i in range(1, count + 1)]


def _require_supported(project: Mapping[str, Any], names: Mapping[str, list[str]]) -> None:
    for key, network in (project.get("networks") or {}).items():
        if (network or {}).get("external"):
            raise UsageError(
                f"network {key} is external: a lab has networks of its own only",
                "Drop `external`; to let hosts reach the world, name it in x-lab.open_networks.",
            )
    for key, service in project["services"].items():
        target = (service.get("network_mode") or "").removeprefix("service:")
        if target in names and names[target] != [target]:
            raise UsageError(
                f"{key} shares the network of {target}, of which there are {len(names[target])}",
                f"Give {target} a scale of 1.",
            )


def _require_distinct(hosts: Sequence[Host]) -> None:
    seen: dict[str, str] = {}
    for host in hosts:
        if host.name in seen:
            raise UsageError(
                f"two hosts would be called {host.name}: one of service {seen[host.name]}, "
                f"one of {host.service}",
                "Rename a service or change its scale.",
            )
        seen[host.name] = host.service


def _service(
    lab: str, key: str, service: Mapping[str, Any], names: Mapping[str, list[str]]
) -> dict[str, Any]:
    config = copy.deepcopy(dict(service))
    config.pop("scale", None)
    config.pop("profiles", None)
    if "deploy" in config:
        config["deploy"].pop("replicas", None)
    if "depends_on" in config:
        config["depends_on"] = {
            host: how for key, how in config["depends_on"].items() for host in names.get(key, [])
        }
    if "build" in config:
        # Compose would name it after the project, whose name differs from copy to copy.
        # The digest keeps labs of one name apart whose folders differ.
        digest = hashlib.sha256(json.dumps(config["build"], sort_keys=True).encode()).hexdigest()
        config.setdefault("image", f"labctl-built-{lab}-{key}-{digest[:8]}")
    config = {**DEFAULT_LIMITS, **config}
    if not config.get("privileged") and not config.get("cap_add"):
        config.setdefault("cap_drop", ["ALL"])
    return config


def _network(key: str, config: dict[str, Any], name: str, members: Sequence[Host]) -> Network:
    subnets = [
        IPv4Network(pool["subnet"])
        for pool in (config.get("ipam") or {}).get("config") or []
        if ":" not in pool.get("subnet", ":")
    ]
    wanted = subnets[0] if subnets else None
    needed = 32 - (len(members) + _RESERVED - 1).bit_length()
    prefix = min(needed, SMALLEST if wanted is None else wanted.prefixlen)
    return Network(key, f"{name}_{key}", config, wanted, prefix)
