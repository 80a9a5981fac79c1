"""Whether the address pool has room, and who else uses its addresses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, collapse_addresses
from pathlib import Path

from labctl.engine import pool
from labctl.engine.doctor.model import Check, Fix, Look, Machine, State
from labctl.engine.networks import taken_subnets

_NAME = "addresses"
_FEW = 16
_ROUTES = Path("/proc/net/route")
_CANDIDATES = IPv4Network("10.0.0.0/8")  # RFC 1918


def room(machine: Machine) -> list[Check]:
    """Count the free subnets of the pool, and name routes of the machine that lie in it."""
    pools = pool.configured()
    taken = taken_subnets(machine.reached)
    local = machine.reached.local and _ROUTES.exists()
    routes = pool.machine_routes(_ROUTES.read_text()) if local else []
    return [judge(pools, taken, routes)]


def judge(
    pools: Sequence[IPv4Network], taken: Sequence[IPv4Network], routes: Sequence[IPv4Network]
) -> Check:
    """Return the check; `taken` holds the subnets of the engine's networks and the routes."""
    free = free_blocks(pools, taken)
    ranges = ", ".join(map(str, pools))
    found = f"room for {free} networks of /{pool.SMALLEST} in {ranges}"
    foreign = set(routes) - set(Counter(taken) - Counter(routes))
    clashes = sorted(r for r in foreign if any(r.overlaps(p) for p in pools))
    if clashes:
        found += f"; routes of this machine lie in it: {', '.join(map(str, clashes))}"
    fix = Fix("Take labs down, or give labs other addresses", _elsewhere(taken))
    if free == 0:
        return Check(_NAME, State.FAILED, found, "no lab can have a network", fix)
    if free < _FEW:
        return Check(_NAME, State.WARNING, found, "only small labs can come up", fix)
    if clashes:
        means = "labs leave these addresses alone; hosts cannot reach them in any case"
        return Check(_NAME, State.OK, found, means)
    return Check(_NAME, State.OK, found)


def free_blocks(pools: Iterable[IPv4Network], taken: Iterable[IPv4Network]) -> int:
    """Return how many subnets of the smallest size are free in the pools."""
    size = 1 << (32 - pool.SMALLEST)
    blocks = [
        net if net.prefixlen <= pool.SMALLEST else net.supernet(new_prefix=pool.SMALLEST)
        for net in taken
    ]
    busy = list(collapse_addresses(blocks))
    free = 0
    for range_ in collapse_addresses(pools):
        used = sum(min(b.num_addresses, range_.num_addresses) for b in busy if b.overlaps(range_))
        free += max(0, range_.num_addresses - used) // size
    return free


def _elsewhere(taken: Sequence[IPv4Network]) -> str | None:
    for candidate in _CANDIDATES.subnets(new_prefix=16):
        if not any(candidate.overlaps(net) for net in taken):
            return f"export LABCTL_POOL={candidate}"
    return None


LOOKS = (Look((_NAME,), room),)
