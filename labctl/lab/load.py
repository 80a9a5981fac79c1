"""Loads a lab file: everything wrong with it at once, or a Lab."""

from __future__ import annotations

import re
from pathlib import Path

from labctl.lab.addresses import check_addresses, read_subnets
from labctl.lab.compose_keys import unknown_keys
from labctl.lab.hosts import read_hosts
from labctl.lab.lab import HostDecl, Lab
from labctl.lab.links import check_links
from labctl.lab.networks import check_isolation, check_joined, read_networks
from labctl.lab.places import data_root
from labctl.lab.report import Report
from labctl.lab.scenarios import check_scenarios
from labctl.lab.sequences import check_sequences
from labctl.lab.source import Source, read
from labctl.lab.xlab import parse

__all__ = ["HostDecl", "Lab", "check", "load"]

_LAB_NAME = r"[a-z0-9][a-z0-9_-]*"


def load(path: Path) -> Lab:
    """Load and check the lab file at `path`.

    Raises LabFileError with all problems in file order, UsageError when it cannot be read.
    """
    return check(read(path.absolute()))


def check(source: Source) -> Lab:
    """Return the lab that a parsed file describes. Raises LabFileError."""
    report = Report(source)
    report.problems.extend(unknown_keys(source))
    x, raw = parse(report)
    name = _name(source, report)
    if "include" in source.data:
        report.at_key(
            ("include",), "a lab is one file: `include` is not supported", "use `extends`"
        )
    hosts, services = read_hosts(report)
    opened = raw.get("open_networks")
    opened = opened if isinstance(opened, dict) else {}
    networks = read_networks(report)
    if networks is not None:
        check_joined(hosts, networks, report)
        check_isolation(hosts, networks, opened, report)
        check_addresses(hosts, services, read_subnets(networks, report), report)
    check_links(raw, hosts, report)
    check_scenarios(raw, hosts, report)
    check_sequences(raw, hosts, report)
    report.raise_if_any()
    assert x is not None and networks is not None  # otherwise there was a problem
    implicit = [n for h in hosts.values() for n in h.networks if n not in networks]
    return Lab(name, source.path, x, hosts, (*networks, *dict.fromkeys(implicit)))


def _name(source: Source, report: Report) -> str:
    told = source.data.get("name")
    if told is not None:
        if not isinstance(told, str) or not re.fullmatch(_LAB_NAME, told):
            hint = "small letters, digits, `-` and `_`, first a letter or digit"
            report.at_value(("name",), f'name: "{told}" is not a lab\'s name', hint)
        return str(told)
    return lab_name(source.path)


def lab_name(path: Path) -> str:
    """Return the name of the lab file at `path` when it does not give one itself: `default`
    for the one that comes with labctl, otherwise its folder's, in the letters that Compose
    allows."""
    if path.resolve() == (data_root() / "compose.yaml").resolve():
        return "default"
    folder = re.sub(r"[^a-z0-9_-]", "", path.resolve().parent.name.lower()).lstrip("_-")
    return folder or "lab"
