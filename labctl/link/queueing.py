"""The commands that put a link in force on a host's interface, in its network namespace.

A rate is kept by a token bucket, tc-tbf(8). Delay and loss are tc-netem(8)'s, where the kernel
has it. Loss goes without it too: iptables picks packets at random and gives them a class of
tc-htb(8) whose queue is a `blackhole`; so the sender is not told, as it would be by a DROP.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from labctl.lab.link import Link

LATENCY_MS = 50
"""How long a packet may wait for its turn: what would wait longer is dropped."""

LEAST_BURST = 16_384
BURST_SECONDS = 0.004
"""What may leave at once: what the rate allows in a tick of 250 Hz, and one large segment."""

_FAST = "100gbit"
_LONG_QUEUE = 100_000
"""Packets that may be under way in a netem: its own limit of 1000 is less than a long fat link
holds."""


def burst(rate: int) -> int:
    """Return the bytes that a token bucket of so many bits a second holds."""
    return max(LEAST_BURST, round(rate / 8 * BURST_SECONDS))


def script(links: Mapping[str, Link], netem: bool) -> str:
    """Return the shell script (POSIX) that puts links in force.

    `links` is by the address that the host has on the network: names of interfaces are the
    engine's affair. `netem`: the kernel has it. The script ends with 0 when all are in force.
    """
    lines = ["set -e"]
    for address, link in links.items():
        lines += [
            f"dev=$(ip -o -4 address show to {shlex.quote(address)} | awk '{{print $2; exit}}')",
            f'[ -n "$dev" ] || {{ echo "no interface has the address {address}" >&2; exit 1; }}',
            *(_disciplines(link) if netem or not link.loss else _lossy(link)),
        ]
    return "\n".join(lines)


def _disciplines(link: Link) -> list[str]:
    """Return the queueing disciplines: netem, where there is delay or loss, above a tbf."""
    lines, place = [], "root handle 1:"
    if link.delay is not None or link.loss is not None:
        delay = f" delay {link.delay * 1000:g}ms" if link.delay is not None else ""
        loss = f" loss {link.loss * 100:g}%" if link.loss is not None else ""
        lines.append(f'tc qdisc replace dev "$dev" {place} netem limit {_LONG_QUEUE}{delay}{loss}')
        place = "parent 1: handle 10:"
    if link.loss is not None:
        lines.append(_ONE_BY_ONE)
    if link.rate is not None:
        lines.append(_bucket(link.rate, place))
    return lines


_ONE_BY_ONE = 'ip link set dev "$dev" gso_max_segs 1'
"""No large segments, which the interface would split only after their loss as a whole."""


def _bucket(rate: int, place: str) -> str:
    return (
        f'tc qdisc replace dev "$dev" {place} '
        f"tbf rate {rate}bit burst {burst(rate)}b latency {LATENCY_MS}ms"
    )


def _lossy(link: Link) -> list[str]:
    """Return how a link loses packets without netem."""
    assert link.loss is not None
    lines = [
        _ONE_BY_ONE,
        'tc qdisc replace dev "$dev" root handle 1: htb default 1',
        f'tc class replace dev "$dev" parent 1: classid 1:1 htb rate {_FAST}',
        f'tc class replace dev "$dev" parent 1: classid 1:2 htb rate {_FAST}',
        'tc qdisc replace dev "$dev" parent 1:2 handle 20: blackhole',
        'iptables -w -t mangle -A POSTROUTING -o "$dev" -m statistic --mode random '
        f"--probability {link.loss:.9f} -j CLASSIFY --set-class 1:2",
    ]
    if link.rate is not None:
        lines.append(_bucket(link.rate, "parent 1:1 handle 10:"))
    return lines
