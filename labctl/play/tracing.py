"""What `labctl trace` is asked for, played and judged."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from labctl.engine import live
from labctl.engine.client import Engine
from labctl.engine.up import Reporter as UpReporter
from labctl.errors import UsageError
from labctl.lab.discover import known
from labctl.lab.lab import Lab
from labctl.lab.model import Scenario
from labctl.lab.near import did_you_mean
from labctl.observe.observer import Observer
from labctl.observe.wishes import Wishes
from labctl.play.alone import alone, host_of
from labctl.play.choose import chosen, lab_of, scenario_of
from labctl.play.judged import Judged, judge
from labctl.play.observed import attached, finish, observed_copy, play_steps, title_of
from labctl.play.player import Reporter as StepReporter
from labctl.play.results import ScenarioResult
from labctl.sequence.pattern import Pattern, parse


@dataclass(frozen=True)
class Asked:
    """What is to be played: `what` and the rest as they were typed.

    With a `command`, `what` is the host to run it on; with a `name` that lab, which is up, is
    observed; else a copy of the lab that `what` names. `timeout`, in seconds, bounds each step.
    `drawn` are the hosts that a figure is wanted of, all where there is none.
    """

    what: str | None = None
    scenario: str | None = None
    name: str | None = None
    command: Sequence[str] | None = None
    timeout: float | None = None
    drawn: Sequence[str] = ()


@dataclass(frozen=True)
class Reporter:
    """Who is told how it goes; `coming_up` is entered while the lab comes up, `say` told then."""

    up: UpReporter
    steps: StepReporter
    say: Callable[[str], None]
    coming_up: AbstractContextManager[object]


def trace(engine: Engine, asked: Asked, wishes: Wishes, reporter: Reporter) -> Judged:
    """Play what is asked for, observed; return what was seen.

    A Ctrl-C while it is played ends that, and what was seen until then is returned; one before
    or after ends all. Raises UsageError, before anything is made, where it names nothing that is
    there, and what the playing raises.
    """
    if asked.command is None and asked.name is None:
        return _on_copy(engine, asked, wishes, reporter)
    return _on_live(engine, asked, wishes, reporter)


def _on_copy(engine: Engine, asked: Asked, wishes: Wishes, reporter: Reporter) -> Judged:
    here = Path.cwd()
    if asked.scenario is None:
        lab, name = chosen(None, asked.what, here, first=True)
    else:
        lab, name = chosen(asked.what, asked.scenario, here)
    scenario = lab.x.scenarios[name]
    _require_hosts(lab, asked.drawn)
    with ExitStack() as stack:
        with reporter.coming_up:
            copy = observed_copy(engine, lab, replace(wishes, outlive=True), reporter.up)
            up, observer = stack.enter_context(copy)
        return _play(engine, up, observer, (name, scenario), _pattern(lab, name), asked, reporter)


def _on_live(engine: Engine, asked: Asked, wishes: Wishes, reporter: Reporter) -> Judged:
    if asked.command is None:
        up = live.find(engine, asked.name)
        lab = lab_of(up)
        name, scenario = scenario_of(lab, asked.scenario or asked.what, first=True)
        pattern = _pattern(lab, name)
    else:
        if asked.scenario is not None:
            raise UsageError(
                "--scenario and a COMMAND exclude each other", "Leave one of them out."
            )
        up, host = host_of(engine, asked.what, asked.name)
        name, scenario, pattern = "command", alone(host, asked.command), None
    for drawn in asked.drawn:
        live.require_running(up.host(drawn))
    with attached(engine, up, wishes, reporter.up) as observer:
        judged = _play(engine, up, observer, (name, scenario), pattern, asked, reporter)
    return judged if pattern is None else replace(judged, whole=_fresh(up, name))


def _require_hosts(lab: Lab, wanted: Sequence[str]) -> None:
    names = [name for host in lab.hosts.values() for name in host.copies]
    for one in wanted:
        if one not in names:
            raise UsageError(
                f"lab {lab.name} has no host {one}", did_you_mean(one, names, "its hosts")
            )


def _fresh(up: live.LiveLab, scenario: str) -> str:
    """Return the command that plays a scenario of a lab on a fresh copy."""
    named = known(Path.cwd()).get(up.lab)
    same = named is not None and named.resolve() == up.file.resolve()
    lab = up.lab if same else str(up.file)
    return shlex.join(["labctl", "trace", lab, "-s", scenario])


def _play(
    engine: Engine,
    up: live.LiveLab,
    observer: Observer,
    scenario: tuple[str, Scenario],
    pattern: Pattern | None,
    asked: Asked,
    reporter: Reporter,
) -> Judged:
    reporter.say(f"tracer: {observer.tracer.name} ({observer.tracer.why})")
    bounded = scenario[0], _bounded(scenario[1], asked.timeout)
    result: ScenarioResult | None = None
    try:
        result = play_steps(engine, up, observer, bounded, reporter.steps)
    except KeyboardInterrupt:
        reporter.say("interrupted: what was seen until now follows; Ctrl-C again ends at once")
    seen = finish(up, observer, title_of(up, bounded))
    judged = judge(seen.recording, pattern, seen, result)
    return replace(judged, interrupted=result is None)


def _pattern(lab: Lab, scenario: str) -> Pattern | None:
    """Return the order that the scenario declares, or else the lab."""
    told = lab.x.sequence_of(scenario)
    return None if told is None else parse(told)


def _bounded(scenario: Scenario, timeout: float | None) -> Scenario:
    if timeout is None:
        return scenario
    steps = [step.model_copy(update={"timeout": timeout}) for step in scenario.steps]
    return scenario.model_copy(update={"steps": steps})
