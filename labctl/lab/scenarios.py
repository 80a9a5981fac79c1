"""What a scenario's steps name must be there: hosts, and earlier steps in the background."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from labctl.lab.lab import HostDecl
from labctl.lab.model import HOST_NAME, HOST_PATH, HOST_PORT
from labctl.lab.near import did_you_mean
from labctl.lab.report import Report
from labctl.lab.source import KeyPath

_HOST_KEYS = (
    (("host",), HOST_NAME),
    (("when", "listening"), HOST_PORT),
    (("when", "file"), HOST_PATH),
    (("when", "succeeds", "host"), HOST_NAME),
)
_STEP_KEYS = (("output", "step"), ("ended",))


def check_scenarios(x: Mapping[str, Any], hosts: Mapping[str, HostDecl], report: Report) -> None:
    """Report unknown hosts and steps.

    `x` is the plain data of x-lab. What is not formed as the model wants it has been
    reported already and is passed over.
    """
    for name, scenario in _mapping(x.get("scenarios")).items():
        steps = _mapping(scenario).get("steps")
        if isinstance(steps, list):
            _check_steps(steps, ("x-lab", "scenarios", name, "steps"), hosts, report)


def _check_steps(
    steps: list[Any], path: KeyPath, hosts: Mapping[str, HostDecl], report: Report
) -> None:
    earlier: dict[str, bool] = {}  # by name: does it run in the background?
    for i, item in enumerate(steps):
        step = _mapping(item)
        when = _mapping(step.get("when"))
        for keys, pattern in _HOST_KEYS:
            text = _text(step, keys)
            if hosts and text is not None and re.fullmatch(pattern, text):
                check_host(text.partition(":")[0], (*path, i, *keys), hosts, report)
        for keys in _STEP_KEYS:
            text = _text(when, keys)
            if text is not None:
                _check_step(text, (*path, i, "when", *keys), earlier, report)
        name = _text(step, ("name",))
        if name is not None:
            if name in earlier:
                place = (*path, i, "name")
                report.at_value(place, f"two steps are named `{name}`", "rename one of them")
            earlier.setdefault(name, step.get("background") is True)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any, keys: tuple[str, ...]) -> str | None:
    for key in keys:
        value = _mapping(value).get(key)
    return value if isinstance(value, str) else None


def check_host(
    name: str,
    path: KeyPath,
    hosts: Mapping[str, HostDecl],
    report: Report,
    *,
    whose: str = "scenario",
    key: bool = False,
) -> None:
    """Report a name that no host has; `whose` part of the file it is, `key`: it is a key there."""
    tell = report.at_key if key else report.at_value
    host = hosts.get(name)
    if host is None and (match := re.fullmatch(r"(.+)-([1-9]\d*)", name)):
        # A copy beyond the file's scale is there when `--scale` raises it.
        base = hosts.get(match[1])
        if base is not None and not base.template:
            return
    if host is None:
        known = [copy for other in hosts.values() for copy in other.copies]
        tell(
            path, f"the {whose} names an unknown host `{name}`", did_you_mean(name, known, "hosts")
        )
    elif host.template:
        tell(
            path,
            f"`{name}` is a template (scale: 0): there is no such host",
            "name a host that extends it, or give it `scale: 1`",
        )
    elif host.scale > 1:
        tell(
            path,
            f"there are {host.scale} hosts of `{name}`",
            f"say which one: {host.copies[0]} to {host.copies[-1]}",
        )


def _check_step(name: str, path: KeyPath, earlier: Mapping[str, bool], report: Report) -> None:
    if name not in earlier:
        hint = did_you_mean(name, earlier, "earlier steps with a name")
        report.at_value(path, f"no earlier step is named `{name}`", hint)
    elif not earlier[name]:
        report.at_value(
            path,
            f"step `{name}` does not run in the background, so it has always ended by now",
            f"add `background: true` to `{name}`, or drop the condition",
        )
