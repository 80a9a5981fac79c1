"""What `labctl trace` is asked for, played and judged."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from labctl.engine import live
from labctl.engine.client import Engine
from labctl.engine.up import Reporter as UpReporter
from labctl.errors import UsageError
from labctl.lab.lab import Lab
from labctl.lab.model import Scenario, Step
from labctl.observe.observer import Observer
from labctl.observe.wishes import Wishes
from labctl.play.choose import chosen, lab_of, scenario_of
from labctl.play.judged import Judged, judge
from labctl.play.observed import attached, observed_copy, play_observed
from labctl.play.player import Reporter as StepReporter
from labctl.sequence.pattern import Pattern, parse


@dataclass(frozen=True)
class Asked:
    """What is to be played: `what` and the rest as they were typed.

    With a `command`, `what` is the host to run it on; with a `name` that lab, which is up, is
    observed; else a copy of the lab that `what` names. `timeout`, in seconds, bounds each step.
    """

    what: str | None = None
    scenario: str | None = None
    name: str | None = None
    command: Sequence[str] | None = None
    timeout: float | None = None


@dataclass(frozen=True)
class Reporter:
    """Who is told how it goes; `coming_up` is entered while the lab comes up."""

    up: UpReporter
    steps: StepReporter
    coming_up: AbstractContextManager[object]


def trace(engine: Engine, asked: Asked, wishes: Wishes, reporter: Reporter) -> Judged:
    """Play what is asked for, observed; return what was seen.

    Raises UsageError where it names nothing that is there, and what the playing raises.
    """
    if asked.command is None and asked.name is None:
        return _on_copy(engine, asked, wishes, reporter)
    return _on_live(engine, asked, wishes, reporter)


def _on_copy(engine: Engine, asked: Asked, wishes: Wishes, reporter: Reporter) -> Judged:
    here = Path.cwd()
    if asked.scenario is None:
        lab, name = chosen(None, asked.what, here)
    else:
        lab, name = chosen(asked.what, asked.scenario, here)
    scenario = lab.x.scenarios[name]
    with ExitStack() as stack:
        with reporter.coming_up:
            copy = observed_copy(engine, lab, wishes, reporter.up)
            up, observer = stack.enter_context(copy)
        return _play(engine, up, observer, (name, scenario), _pattern(lab, name), asked, reporter)


def _on_live(engine: Engine, asked: Asked, wishes: Wishes, reporter: Reporter) -> Judged:
    if asked.command is None:
        up = live.find(engine, asked.name)
        lab = lab_of(up)
        name, scenario = scenario_of(lab, asked.scenario or asked.what)
        pattern = _pattern(lab, name)
    else:
        if asked.scenario is not None:
            raise UsageError(
                "--scenario and a COMMAND exclude each other", "Leave one of them out."
            )
        up, host = _host(engine, asked)
        name, scenario, pattern = "command", _alone(host, asked.command), None
    with attached(engine, up, wishes, reporter.up) as observer:
        return _play(engine, up, observer, (name, scenario), pattern, asked, reporter)


def _play(
    engine: Engine,
    up: live.LiveLab,
    observer: Observer,
    scenario: tuple[str, Scenario],
    pattern: Pattern | None,
    asked: Asked,
    reporter: Reporter,
) -> Judged:
    reporter.up.note(f"tracer: {observer.tracer.name} ({observer.tracer.why})")
    name, steps = scenario
    bounded = _bounded(steps, asked.timeout)
    result, seen = play_observed(engine, up, observer, (name, bounded), reporter.steps)
    return judge(seen.recording, pattern, seen, result)


def _pattern(lab: Lab, scenario: str) -> Pattern | None:
    """Return the order that the scenario declares, or else the lab."""
    told = lab.x.sequence_of(scenario)
    return None if told is None else parse(told)


def _bounded(scenario: Scenario, timeout: float | None) -> Scenario:
    if timeout is None:
        return scenario
    steps = [step.model_copy(update={"timeout": timeout}) for step in scenario.steps]
    return scenario.model_copy(update={"steps": steps})


def _alone(host: str, command: Sequence[str]) -> Scenario:
    """Return a scenario that is one command on one host."""
    if not command:
        raise UsageError("there is no command after --", "Write: labctl trace HOST -- COMMAND.")
    return Scenario(steps=[Step(name="command", host=host, run=list(command))])


def _host(engine: Engine, asked: Asked) -> tuple[live.LiveLab, str]:
    """Return the lab and the host that a command is to run on.

    Without a name it is the host on which the lab's first scenario ends: there its user sits.
    """
    told, slash, host = (asked.what or "").rpartition("/")
    if slash and asked.name not in (None, told):
        raise UsageError(f"--name {asked.name} and {asked.what} name two labs", "Give one only.")
    up = live.find(engine, told if slash else asked.name)
    if host:
        return up, up.host(host).name
    scenarios = list(lab_of(up).x.scenarios.values())
    if not scenarios:
        names = ", ".join(h.name for h in up.hosts)
        raise UsageError("on which host?", f"labctl trace HOST -- COMMAND. Hosts: {names}.")
    return up, scenarios[0].steps[-1].host
