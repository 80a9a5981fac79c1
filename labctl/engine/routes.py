"""Which router is a network's gateway, and how routers reach networks they are not on. Pure.

Hosts send whatever is not on their own network to its gateway, so it is the routers that
must know the way. With one router a network there is nothing to say; with several, the
first by name is the gateway, and each knows the shortest way to all other networks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network

Addresses = Mapping[str, Mapping[str, IPv4Address]]
"""The address of each router on each network, by their names."""


def is_router(sysctls: Mapping[str, object]) -> bool:
    """Tell from a host's sysctls whether it forwards packets (ip-sysctl: ip_forward)."""
    return str(sysctls.get("net.ipv4.ip_forward")) == "1"


def settings(routers: Addresses, subnets: Mapping[str, IPv4Network]) -> dict[str, dict[str, str]]:
    """Return each router's environment, as the program `router` reads it.

    GATEWAYS lists the subnets whose first address it claims, ROUTES the subnets beyond
    other routers, each with the address of the next one.
    """
    gateways = _gateways(routers)
    return {
        router: {
            "GATEWAYS": " ".join(str(subnets[key]) for key in addresses if gateways[key] == router),
            "ROUTES": " ".join(
                f"{subnets[key]}={hop}" for key, hop in sorted(_ways(router, routers).items())
            ),
        }
        for router, addresses in routers.items()
    }


def _gateways(routers: Addresses) -> dict[str, str]:
    gateways: dict[str, str] = {}
    for router in sorted(routers):
        for key in routers[router]:
            gateways.setdefault(key, router)
    return gateways


def _ways(start: str, routers: Addresses) -> dict[str, IPv4Address]:
    """Return, for each network that the router is not on, the next router's address.

    A search in breadth (BFS), so that the way has as few hops as there are.
    """
    ways: dict[str, IPv4Address] = {}
    reached = set(routers[start])
    queue: deque[tuple[str, IPv4Address | None]] = deque((key, None) for key in routers[start])
    while queue:
        key, hop = queue.popleft()
        for router in sorted(routers):
            if router == start or key not in routers[router]:
                continue
            through = hop or routers[router][key]
            for beyond in routers[router]:
                if beyond not in reached:
                    reached.add(beyond)
                    ways[beyond] = through
                    queue.append((beyond, through))
    return ways
