"""What the kernel of each host counted: bytes of its interfaces, and bytes by who sent them. Pure.

From whom a host has received how much is counted by iptables, a rule for each sender, on what
arrives for the host (INPUT). These are bytes of IP packets, headers counted in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from labctl.errors import MachineError

_CHAIN = "LABCTL-FROM"
_PART = "---"
READ = f"ip -j -s link; echo {_PART}; iptables-save -c -t filter; echo {_PART}; tc -j qdisc"
"""The shell script that prints the counters, and the queueing disciplines."""

_RULE = re.compile(rf"\[\d+:(\d+)\] -A {_CHAIN} -s ([\d.]+)(?:/32)?\b")


def rules(senders: Iterable[str]) -> str:
    """Return the shell script that has a host count what arrives from each of these addresses."""
    added = "".join(f"-A {_CHAIN} -s {address}\n" for address in senders)
    table = f"*filter\n:{_CHAIN} - [0:0]\n-A INPUT -j {_CHAIN}\n{added}COMMIT\n"
    return f"iptables-restore -w --noflush <<'E'\n{table}E\n"


@dataclass(frozen=True)
class Counters:
    """What one host's kernel told: bytes `sent` and `received` by its interfaces (loopback not
    counted), bytes `by` address of the sender, and the rates in bits a second that tbf keeps."""

    sent: int
    received: int
    by: Mapping[str, int]
    rates: tuple[float, ...]

    def since(self, before: Counters) -> Counters:
        """Return what was counted after `before`."""
        by = {address: count - before.by.get(address, 0) for address, count in self.by.items()}
        sent, received = self.sent - before.sent, self.received - before.received
        return Counters(sent, received, by, self.rates)


def read(host: str, said: str) -> Counters:
    """Return what `READ` printed on a host. Raises MachineError where it cannot be understood."""
    try:
        links, saved, disciplines = said.split(f"{_PART}\n")
        told = [one["stats64"] for one in json.loads(links) if one["ifname"] != "lo"]
        buckets = [q for q in json.loads(disciplines) if q.get("kind") == "tbf"]
        rates = tuple(float(q["options"]["rate"]) * 8 for q in buckets)
        by = {address: int(count) for count, address in _RULE.findall(saved)}
        sent, received = (sum(one[way]["bytes"] for one in told) for way in ("tx", "rx"))
    except (ValueError, KeyError, TypeError) as error:
        raise MachineError(
            f"the counters of host {host} cannot be read: {error}",
            "Are the images up to date? `labctl images build`.",
        ) from error
    return Counters(sent, received, by, rates)
