"""What is wrong in the patterns of a lab file: their form, their words, the hosts they name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labctl.lab.lab import HostDecl
from labctl.lab.report import Report
from labctl.lab.scenarios import check_host
from labctl.lab.source import KeyPath
from labctl.sequence.pattern import examine
from labctl.sequence.pattern.words import near_key


def check_sequences(x: Mapping[str, Any], hosts: Mapping[str, HostDecl], report: Report) -> None:
    """Report what is wrong in the patterns of the lab and of its scenarios.

    `x` is the plain data of x-lab. A pattern that is no mapping has been reported already and
    is passed over.
    """
    _check(x.get("sequence"), ("x-lab", "sequence"), hosts, report)
    scenarios = x.get("scenarios")
    for name, scenario in scenarios.items() if isinstance(scenarios, dict) else ():
        if isinstance(scenario, dict):
            path = ("x-lab", "scenarios", name, "sequence")
            _check(scenario.get("sequence"), path, hosts, report)


def _check(data: Any, path: KeyPath, hosts: Mapping[str, HostDecl], report: Report) -> None:
    if not isinstance(data, dict):
        return
    found = examine(data)
    for error in found.errors:
        tell = report.at_key if error.key else report.at_value
        tell((*path, *error.path), error.message, error.hint)
    for mention in found.mentions if hosts else ():
        place = (*path, *mention.path)
        key = near_key(mention.host, hosts) if mention.at_top and mention.host not in hosts else ""
        if key:
            report.at_key(place, f"unknown key `{mention.host}` in {'.'.join(map(str, path))}", key)
            continue
        check_host(mention.host, place, hosts, report, whose="sequence", key=mention.key)
