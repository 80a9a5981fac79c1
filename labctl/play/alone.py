"""One command on one host of a lab that is up, as a scenario."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from labctl.engine import live
from labctl.engine.client import Engine
from labctl.errors import UsageError
from labctl.lab.model import Scenario, Step
from labctl.play.choose import lab_of

_LONGEST_TITLE = 120


def alone(host: str, command: Sequence[str]) -> Scenario:
    """Return a scenario that is one command on one host; its title is that command."""
    if not command:
        raise UsageError("there is no command after --", "Write: labctl trace HOST -- COMMAND.")
    typed = " ".join(line.strip() for line in shlex.join(command).splitlines())
    if len(typed) > _LONGEST_TITLE:
        typed = f"{typed[: _LONGEST_TITLE - 1]}…"
    step = Step(name="command", host=host, run=list(command))
    return Scenario(title=f"{typed}, on {host}", steps=[step])


def host_of(engine: Engine, what: str | None, name: str | None) -> tuple[live.LiveLab, str]:
    """Return the lab and the host that HOST or NAME/HOST stands for, and `name`, where given.

    Without a host it is the one on which the lab's first scenario ends: there its user sits.
    """
    told, slash, host = (what or "").rpartition("/")
    if slash and name not in (None, told):
        raise UsageError(f"--name {name} and {what} name two labs", "Give one only.")
    up = live.find(engine, told if slash else name)
    if host:
        return up, up.host(host).name
    scenarios = list(lab_of(up).x.scenarios.values())
    if not scenarios:
        names = ", ".join(h.name for h in up.hosts)
        raise UsageError("on which host?", f"labctl trace HOST -- COMMAND. Hosts: {names}.")
    return up, scenarios[0].steps[-1].host
