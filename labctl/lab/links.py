"""The links that x-lab gives must be those of hosts that are there, into networks they join."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from labctl.lab.lab import HostDecl
from labctl.lab.link import Link
from labctl.lab.near import did_you_mean
from labctl.lab.report import Report

Links = Mapping[str, Mapping[str, Link]]
"""By host and network, as x-lab has them."""


def links_of(links: Links, host: str, service: str) -> dict[str, Link]:
    """Return a host's links by network: its own, else those of the service it is a copy of."""
    return {**links.get(service, {}), **links.get(host, {})}


def check_links(x: Mapping[str, Any], hosts: Mapping[str, HostDecl], report: Report) -> None:
    """Report links of unknown hosts, and into networks that a host does not join.

    `x` is the plain data of x-lab; what is not formed as the model wants it is passed over.
    """
    links = x.get("links")
    for name, told in links.items() if isinstance(links, dict) else ():
        path = ("x-lab", "links", name)
        host = _declared(str(name), hosts)
        if host is None:
            known = [h.name for h in hosts.values() if not h.template]
            hint = did_you_mean(str(name), known, "hosts")
            report.at_key(path, f"x-lab.links names an unknown host `{name}`", hint)
            continue
        if host.template:
            report.at_key(
                path,
                f"`{name}` is a template (scale: 0): it has no links",
                "name a host that extends it, or give it `scale: 1`",
            )
            continue
        for network, link in told.items() if isinstance(told, dict) else ():
            if isinstance(link, dict) and network not in host.networks:
                report.at_key(
                    (*path, network),
                    f"host {name} is not on the network `{network}`",
                    did_you_mean(str(network), host.networks, f"networks of {name}"),
                )


def _declared(name: str, hosts: Mapping[str, HostDecl]) -> HostDecl | None:
    """Return the service that a host's name, or that of a copy of it, stands for."""
    if name in hosts:
        return hosts[name]
    match = re.fullmatch(r"(.+)-[1-9]\d*", name)
    return hosts.get(match[1]) if match else None
