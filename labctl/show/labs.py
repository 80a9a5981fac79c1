"""Labs that can be brought up, as text and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from labctl.lab.discover import Found
from labctl.lab.lab import HostDecl, Lab
from labctl.lab.link import in_words
from labctl.lab.model import Command, Condition, Expect, Scenario, Step


def list_json(found: Sequence[Found]) -> list[dict[str, Any]]:
    """Return what `list --json` prints."""
    return [
        {
            "name": one.name,
            "file": str(one.path),
            "title": one.lab.x.title if one.lab else None,
            "figure": one.lab.x.figure if one.lab else None,
            "systems": one.lab.x.systems if one.lab else None,
            "course": one.lab.x.course if one.lab else None,
            "hosts": _count(one.lab) if one.lab else None,
            "scenarios": list(one.lab.x.scenarios) if one.lab else None,
            "problem": one.problem,
        }
        for one in found
    ]


def list_table(found: Sequence[Found]) -> Table:
    """Return a table of labs; a wrong file's row shows its first problem."""
    result = _table("LAB", "FIGURE", "SYSTEMS", "HOSTS", "SCENARIOS", "TITLE")
    for one in found:
        if one.lab is None:
            result.add_row(escape(one.name), "", "", "", "", Text(one.problem or "", style="red"))
            continue
        x = one.lab.x
        systems, scenarios = " ".join(x.systems), " ".join(x.scenarios)
        cells = (one.name, x.figure or "", systems, str(_count(one.lab)), scenarios, x.title)
        result.add_row(*map(escape, cells))
    return result


def lab_json(lab: Lab) -> dict[str, Any]:
    """Return what `show --json` prints."""
    return {
        "name": lab.name,
        "file": str(lab.path),
        "hosts": {
            host.name: {
                "scale": host.scale,
                "networks": list(host.networks),
                "router": host.router,
                "template": host.template,
            }
            for host in lab.hosts.values()
        },
        "networks": {name: [h.name for h in _on(lab, name)] for name in lab.networks},
        **lab.x.model_dump(mode="json"),
    }


def lab_text(lab: Lab) -> RenderableType:
    """Return a whole lab for reading: what it shows, its hosts, networks and scenarios."""
    figure = [f"figure {lab.x.figure}"] if lab.x.figure else []
    about = ", ".join([*figure, *lab.x.systems])
    title = f"{lab.name}: {lab.x.title}" + (f" ({about})" if about else "")
    parts: list[RenderableType] = [Text(title, style="bold")]
    parts.append(Text(str(lab.path), style="dim"))
    if lab.x.about:
        parts += ["", Text(lab.x.about.strip())]
    parts += ["", _hosts_table(lab), "", _networks_table(lab)]
    if lab.x.links:
        parts += ["", _links_table(lab)]
    for name, scenario in lab.x.scenarios.items():
        parts += ["", *_scenario_parts(name, scenario)]
    return Group(*parts)


def _hosts_table(lab: Lab) -> Table:
    result = _table("HOST", "HOW MANY", "ON", "KIND")
    for host in lab.hosts.values():
        result.add_row(host.name, str(host.scale), " ".join(host.networks), _kind(host))
    return result


def _kind(host: HostDecl) -> str:
    return "template" if host.template else "router" if host.router else "host"


def _networks_table(lab: Lab) -> Table:
    result = _table("NETWORK", "HOSTS", "REACHES THE WORLD")
    for name in lab.networks:
        copies = " ".join(copy for host in _on(lab, name) for copy in host.copies)
        result.add_row(name, copies, escape(lab.x.open_networks.get(name, "no")))
    return result


def _links_table(lab: Lab) -> Table:
    result = _table("LINK OF", "INTO", "IS")
    for host, links in lab.x.links.items():
        for network, link in links.items():
            result.add_row(host, network, in_words(link))
    return result


def _scenario_parts(name: str, scenario: Scenario) -> list[RenderableType]:
    title = f": {scenario.title}" if scenario.title else ""
    steps = _table("", "HOST", "RUNS", "WHEN", "EXPECTED")
    for number, step in enumerate(scenario.steps, start=1):
        label = f"{number} {step.name}" if step.name else str(number)
        cells = (label, step.host, _run(step), when_words(step.when), _expected(step.expect))
        steps.add_row(*map(escape, cells))
    return [Text(f"scenario {name}{title}", style="bold"), steps]


def _run(step: Step) -> str:
    return command_words(step.run) + (" &" if step.background else "")


def command_words(command: Command) -> str:
    """Return a command as one line."""
    return command.strip() if isinstance(command, str) else " ".join(command)


def when_words(when: Condition) -> str:
    """Return a condition in words, empty when there is none."""
    words = []
    if when.listening:
        words.append(f"{when.listening} listens")
    if when.file:
        words.append(f"{when.file} is there")
    if when.output:
        words.append(f'{when.output.step} has printed "{when.output.contains}"')
    if when.ended:
        words.append(f"{when.ended} has ended")
    if when.succeeds:
        words.append(f"`{command_words(when.succeeds.run)}` succeeds on {when.succeeds.host}")
    return " and ".join(words)


def _expected(expect: Expect | None) -> str:
    if expect is None:
        return ""
    said = f' and "{expect.stdout}"' if expect.stdout else ""
    return f"exit {expect.exit}{said}"


def _on(lab: Lab, network: str) -> list[HostDecl]:
    return [h for h in lab.hosts.values() if network in h.networks and not h.template]


def _count(lab: Lab) -> int:
    return sum(host.scale for host in lab.hosts.values())


def _table(*columns: str) -> Table:
    result = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        result.add_column(column, overflow="fold")
    return result
