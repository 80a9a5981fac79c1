"""The networks of a lab file: each one cut off from the world, unless it says why not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labctl.lab.lab import HostDecl
from labctl.lab.near import did_you_mean
from labctl.lab.report import Report

INHIBIT = "com.docker.network.bridge.inhibit_ipv4"
MASQUERADE = "com.docker.network.bridge.enable_ip_masquerade"
ROUTED_YAML = (
    "driver_opts:\n"
    f'  {INHIBIT}: "true"\n'
    f'  {MASQUERADE}: "false"\n'
    "  com.docker.network.bridge.gateway_mode_ipv4: routed"
)
_YES = {"true", "yes", "on", "y", "1"}


def read_networks(report: Report) -> dict[str, dict[str, Any]] | None:
    """Return the declared networks, each with its part of the file (maybe empty), or None
    when they are no mapping; the report then says so."""
    told = report.source.data.get("networks")
    if told is None:
        return {}
    if not isinstance(told, dict):
        report.at_value(
            ("networks",), "`networks` must be a mapping", "networks:\n  lan:\n    internal: true"
        )
        return None
    return {name: part if isinstance(part, dict) else {} for name, part in told.items()}


def is_internal(part: Mapping[str, Any]) -> bool:
    """Tell whether the engine drops what leaves the network's subnet (`internal: true`)."""
    return str(part.get("internal")).lower() in _YES


def is_routed(part: Mapping[str, Any]) -> bool:
    """Tell whether it is a bridge without the machine on it, for a router host to join."""
    options = part.get("driver_opts")
    options = options if isinstance(options, dict) else {}
    return (
        str(options.get(INHIBIT)).lower() == "true"
        and str(options.get(MASQUERADE)).lower() == "false"
    )


def check_joined(
    hosts: Mapping[str, HostDecl], networks: Mapping[str, Any], report: Report
) -> None:
    """Report hosts on networks that the file does not define, or on one twice."""
    services = report.source.data.get("services") or {}
    for host in hosts.values():
        told = services[host.name].get("networks")
        listed = told if isinstance(told, list) else []
        for i, name in enumerate(listed):
            if name in listed[:i]:
                path = ("services", host.name, "networks", i)
                report.at_value(path, f"host {host.name} joins `{name}` twice", "remove one")
        for name in host.networks:
            if name not in networks and name != "default":
                place = listed.index(name) if name in listed else name
                report.at_key(
                    ("services", host.name, "networks", place),
                    f"host {host.name} joins the network `{name}`, which is not defined",
                    did_you_mean(name, networks, "networks"),
                )


def check_isolation(
    hosts: Mapping[str, HostDecl],
    networks: Mapping[str, dict[str, Any]],
    opened: Mapping[str, Any],
    report: Report,
) -> None:
    """Report networks that are not cut off from the world, and those that no router can join."""
    routers = {n: h.name for h in hosts.values() if h.router for n in h.networks}
    for name, part in networks.items():
        path = ("networks", name)
        if part.get("external"):
            report.at_key(
                (*path, "external"),
                f"network {name} is external: a lab has networks of its own only",
                "remove `external`; x-lab.open_networks lets hosts reach the world",
            )
        elif is_internal(part) and name in routers:
            report.at_key(
                (*path, "internal"),
                f"network {name} is internal, but {routers[name]} routes on it: the engine's "
                "firewall drops routed frames on internal networks",
                f"replace `internal: true` by the options of a routed network:\n{ROUTED_YAML}",
            )
        elif not is_internal(part) and not is_routed(part) and name not in opened:
            report.at_key(path, *_not_cut_off(name, name in routers))
    implicit = [h.name for h in hosts.values() if "default" in h.networks]
    if implicit and "default" not in networks and "default" not in opened:
        report.at_key(
            ("services", implicit[0]),
            f"host {implicit[0]} names no network, so Compose puts it on `default`, which is not "
            "cut off from the world",
            "name the host's `networks`, or define it:\nnetworks:\n  default:\n    internal: true",
        )
    for name in opened:
        if name not in networks and not (name == "default" and implicit):
            report.at_key(
                ("x-lab", "open_networks", name),
                f"x-lab.open_networks names `{name}`, which is not a network of this lab",
                did_you_mean(name, networks, "networks"),
            )


def _not_cut_off(name: str, routed: bool) -> tuple[str, str]:
    message = (
        f"network {name} is not cut off from the world: only x-lab.open_networks may allow that"
    )
    if routed:
        return (
            message,
            f"a router is on it, so give it the options of a routed network:\n{ROUTED_YAML}",
        )
    reason = f"x-lab:\n  open_networks:\n    {name}: why it must reach the world"
    return message, f"write `internal: true`, or\n{reason}"
