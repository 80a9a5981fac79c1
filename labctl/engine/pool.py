"""Which subnets labs may use, and which of them are free. Choosing is pure."""

from __future__ import annotations

import ipaddress
import os
import tomllib
from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network
from pathlib import Path

from labctl.errors import MachineError, UsageError

DEFAULT_POOL = "10.201.0.0/16"
SMALLEST = 28
"""Prefix length of the smallest subnet given out: 13 hosts beside the gateway's address."""


def configured() -> tuple[IPv4Network, ...]:
    """Return the address ranges that labs may use, in the order in which they are filled.

    They come from LABCTL_POOL (ranges separated by commas) or `pool = [...]` in
    labctl/config.toml of the user's configuration folder; otherwise 10.201.0.0/16.
    Raises UsageError for what is not an IPv4 range.
    """
    told = os.environ.get("LABCTL_POOL")
    if told is not None:
        return _parse(told.split(","), "LABCTL_POOL")
    file = config_file()
    if not file.exists():
        return (IPv4Network(DEFAULT_POOL),)
    try:
        settings = tomllib.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {error}", "Mend it or delete it.") from error
    unknown = sorted(set(settings) - {"pool"})
    if unknown:
        raise UsageError(f"{file}: unknown key `{unknown[0]}`", "The only key is `pool`.")
    ranges = settings.get("pool", [DEFAULT_POOL])
    return _parse(ranges if isinstance(ranges, list) else [ranges], str(file))


def config_file() -> Path:
    """Return where the user's settings are: $XDG_CONFIG_HOME/labctl/config.toml."""
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "labctl" / "config.toml"


def _parse(ranges: Iterable[object], source: str) -> tuple[IPv4Network, ...]:
    pools = []
    for text in ranges:
        try:
            pools.append(IPv4Network(str(text).strip()))
        except ValueError as error:
            raise UsageError(
                f"{source}: not a range of IPv4 addresses: {text}",
                "Write it as 10.201.0.0/16; several are separated by commas.",
            ) from error
    if not pools:
        raise UsageError(f"{source}: no range of addresses", "Write one, as 10.201.0.0/16.")
    return tuple(pools)


def choose(
    pools: Sequence[IPv4Network], taken: Iterable[IPv4Network], prefixes: Sequence[int]
) -> list[IPv4Network]:
    """Return one free subnet for each prefix length, the first that fit, none overlapping.

    Raises MachineError when the pools have no room for all.
    """
    busy = _Busy(taken)
    chosen: dict[int, IPv4Network] = {}
    # The largest first, so that small ones do not break up the room that large ones need.
    for index in sorted(range(len(prefixes)), key=lambda i: prefixes[i]):
        subnet = _first_free(pools, busy, prefixes[index])
        if subnet is None:
            ranges = ", ".join(str(p) for p in pools)
            raise MachineError(
                f"no address space is left for {len(prefixes)} networks in {ranges}: it is too "
                "small, or other networks of this machine have it",
                "Take labs down (`labctl ps`), run `labctl clean`, or set LABCTL_POOL to a range "
                "that nothing else uses.",
            )
        busy.add(subnet)
        chosen[index] = subnet
    return [chosen[i] for i in range(len(prefixes))]


def _first_free(pools: Sequence[IPv4Network], busy: _Busy, prefix: int) -> IPv4Network | None:
    size = 1 << (32 - prefix)
    for pool in pools:
        start = int(pool.network_address)
        end = start + pool.num_addresses
        while start + size <= end:
            blocked_until = busy.end_of_overlap(start, start + size)
            if blocked_until is None:
                return IPv4Network((start, prefix))
            start = -(-blocked_until // size) * size
    return None


class _Busy:
    """Taken address intervals, sorted and merged, so that a search skips whole blocks."""

    def __init__(self, taken: Iterable[IPv4Network]) -> None:
        self._spans: list[tuple[int, int]] = []
        for net in sorted(taken):
            start, end = int(net.network_address), int(net.broadcast_address) + 1
            if self._spans and start <= self._spans[-1][1]:
                self._spans[-1] = (self._spans[-1][0], max(end, self._spans[-1][1]))
            else:
                self._spans.append((start, end))

    def add(self, net: IPv4Network) -> None:
        insort(self._spans, (int(net.network_address), int(net.broadcast_address) + 1))

    def end_of_overlap(self, start: int, end: int) -> int | None:
        """Return where the interval that overlaps [start, end) ends, or None."""
        at = bisect_right(self._spans, (start, 1 << 33))
        for first, last in self._spans[max(0, at - 1) : at + 1]:
            if first < end and start < last:
                return last
        return None


def machine_routes(table: str) -> list[IPv4Network]:
    """Return the destinations in the text of /proc/net/route (proc_net(5)), the default left out.

    Addresses stand there as hexadecimal of the host's byte order, which is
    little-endian on every machine that Docker runs on but s390x.
    """
    routes = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 8:
            continue
        address, mask = (bytes.fromhex(f)[::-1] for f in (fields[1], fields[7]))
        if mask != bytes(4):
            netmask = ipaddress.IPv4Address(mask)
            routes.append(IPv4Network(f"{ipaddress.IPv4Address(address)}/{netmask}"))
    return routes
