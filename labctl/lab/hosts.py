"""The hosts of a lab file: names, how many of each, which networks they join."""

from __future__ import annotations

import re
from typing import Any

from labctl.lab.extends import ExtendsError, Resolver, Service
from labctl.lab.lab import HostDecl
from labctl.lab.model import HOST_NAME
from labctl.lab.near import did_you_mean
from labctl.lab.report import Report

MOST_COPIES = 1000

_SMALLEST = "services:\n  server:\n    image: labctl-host"


def read_hosts(report: Report) -> tuple[dict[str, HostDecl], dict[str, Service]]:
    """Return the hosts in file order, and each with what it inherits; report what is wrong."""
    services = report.source.data.get("services")
    if not isinstance(services, dict) or not services:
        path = ("services",) if "services" in report.source.data else ()
        report.at_key(path, "`services` must hold at least one host", _SMALLEST)
        return {}, {}
    resolver = Resolver(report.source)
    hosts: dict[str, HostDecl] = {}
    resolved: dict[str, Service] = {}
    for name in services:
        service = _resolve(name, services[name], resolver, report)
        if service is not None:
            resolved[name] = service
            hosts[name] = _declare(name, service, report)
    if len(hosts) == len(services) and all(host.template for host in hosts.values()):
        report.at_key(("services",), "every host is a template (scale: 0)", "give one a `scale: 1`")
    _check_copies(hosts, report)
    return hosts, resolved


def _resolve(name: str, own: Any, resolver: Resolver, report: Report) -> Service | None:
    path = ("services", name)
    if not re.fullmatch(HOST_NAME, name) or len(name) > 40:
        report.at_key(
            path,
            f"`{name}` is not a host's name",
            "up to 40 small letters, digits, `-` and `_`, first a letter or digit",
        )
    if not isinstance(own, dict):
        report.at_key(path, f"host {name} must be a mapping (`key: value`)", _SMALLEST)
        return None
    try:
        return resolver.service(name)
    except ExtendsError as error:
        inner = (*path, "extends", "service")
        at = inner if inner in report.source.values else (*path, "extends")
        report.at_value(at, error.message, error.hint)
        return None


def _declare(name: str, service: Service, report: Report) -> HostDecl:
    path = ("services", name)
    scale = service.scale
    if type(scale) is not int or not 0 <= scale <= MOST_COPIES:
        message = f"scale: {scale} is not a whole number from 0 to {MOST_COPIES}"
        report.at_value((*path, "scale"), message, "`labctl up --scale NAME=N` sets it for one run")
        scale = 1
    if scale == 0 and not service.own_scale:
        report.at_key(
            (*path, "extends"),
            f"host {name} extends a template (scale: 0), so it would never start",
            "add `scale: 1`, or `scale: 0` if it is a template too",
        )
    _check_network_mode(name, service, report)
    networks = tuple(service.networks or ())
    if not networks and scale > 0 and service.network_mode is None:
        networks = ("default",)  # as Compose does it
    return HostDecl(name, scale, networks, service.router)


def _check_network_mode(name: str, service: Service, report: Report) -> None:
    mode, path = service.network_mode, ("services", name, "network_mode")
    if mode is None:
        return
    if service.networks:
        report.at_key(
            path,
            f"host {name} has both `network_mode` and `networks`",
            "keep `networks`; `network_mode` is for none, or to share another host's network",
        )
    services = report.source.data["services"]
    kind, _, target = str(mode).partition(":")
    if kind == "service" and target not in services:
        report.at_value(
            path, f"there is no host `{target}` to share", did_you_mean(target, services, "hosts")
        )
    elif kind not in ("service", "none"):
        report.at_value(
            path,
            f"network_mode: {mode} takes host {name} out of the lab",
            "use `networks`, `network_mode: none` or `network_mode: service:HOST`",
        )


def _check_copies(hosts: dict[str, HostDecl], report: Report) -> None:
    """Report a host whose name is also that of a copy of a scaled one."""
    for host in hosts.values():
        for copy in host.copies if host.scale > 1 else ():
            if copy in hosts:
                report.at_key(
                    ("services", copy),
                    f"host {copy} has the name of a copy of {host.name} (scale: {host.scale})",
                    "rename one of the two",
                )
