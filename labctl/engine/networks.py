"""Makes a lab's networks on subnets of the pool, and removes them."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from labctl.engine import labels, locks, pool
from labctl.engine.client import Engine, refused
from labctl.engine.removal import insist
from labctl.engine.shape import Network
from labctl.engine.shield import deferred
from labctl.errors import EngineError

_LOCK_TIMEOUT = 300.0
_MOST_ATTEMPTS = 8
_ROUTES = Path("/proc/net/route")


def create(
    engine: Engine, networks: Sequence[Network], origin: labels.Origin
) -> dict[str, IPv4Network]:
    """Make the networks and return the subnet of each, by key.

    A lock keeps other labctl processes of this user from choosing at the same time; what
    anybody else takes meanwhile the engine refuses, and the choice is made again.
    Raises MachineError when the pool has no room, EngineError when the engine refuses.
    """
    pools = pool.configured()
    with locks.held(locks.lock_path("pool", engine.id), "the address pool", _LOCK_TIMEOUT):
        taken = taken_subnets(engine)
        chosen = pool.choose(pools, taken, [n.prefix for n in networks])
        result = {}
        for network, subnet in zip(networks, chosen, strict=True):
            avoid = taken + [s for s in chosen if s != subnet]
            result[network.key] = _create_one(engine, network, subnet, avoid, pools, origin)
    return result


def _create_one(
    engine: Engine,
    network: Network,
    subnet: IPv4Network,
    avoid: list[IPv4Network],
    pools: Sequence[IPv4Network],
    origin: labels.Origin,
) -> IPv4Network:
    for attempt in range(_MOST_ATTEMPTS):
        try:
            _ask_engine(engine, network, subnet, origin)
        except APIError as error:
            if attempt == _MOST_ATTEMPTS - 1 or error.status_code not in (400, 403, 409, 500):
                raise EngineError(
                    f"the engine refused to make network {network.key} on {subnet}: "
                    f"{error.explanation}",
                    "See `labctl doctor`; LABCTL_POOL gives labs other addresses.",
                ) from error
            avoid += [subnet, *taken_subnets(engine)]
            subnet = pool.choose(pools, avoid, [network.prefix])[0]
        else:
            return subnet
    raise AssertionError("the loop returns or raises")


def _ask_engine(
    engine: Engine, network: Network, subnet: IPv4Network, origin: labels.Origin
) -> None:
    config = network.config
    with deferred():
        engine.sdk.api.create_network(
            network.engine_name,
            driver=config.get("driver") or "bridge",
            options=config.get("driver_opts"),
            internal=bool(config.get("internal")),
            ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=str(subnet))]),
            labels={**(config.get("labels") or {}), **labels.for_network(origin, network.key)},
            check_duplicate=True,
        )


def taken_subnets(engine: Engine) -> list[IPv4Network]:
    """Return the subnets of the engine's networks and of this machine's own routes."""
    with refused("listing networks"):
        listed = engine.sdk.api.networks()
    taken = [s for network in listed for s in _subnets(network)]
    if engine.local and _ROUTES.exists():
        taken += pool.machine_routes(_ROUTES.read_text())
    return taken


def _subnets(network: dict[str, Any]) -> list[IPv4Network]:
    configs = (network.get("IPAM") or {}).get("Config") or []
    return [
        IPv4Network(c["Subnet"], strict=False)
        for c in configs
        if c.get("Subnet") and ":" not in c["Subnet"]
    ]


def remove(engine: Engine, network_id: str, deadline: float) -> None:
    """Remove a network; one that is not there counts as removed.

    Raises EngineError when the engine still refuses at `deadline` (time.monotonic()).
    """
    insist(
        lambda: engine.sdk.api.remove_network(network_id),
        f"network {network_id}",
        f"`docker network inspect {network_id}` shows what still uses it; where that is nothing, "
        "the engine has lost count: restart it, then `labctl clean`.",
        deadline,
    )
