"""What `labctl trace` is asked for, played and judged."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
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
from labctl.observe.collect import Observation
from labctl.observe.observer import Observer
from labctl.observe.tracers import NONE
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


Around = Callable[[live.LiveLab], AbstractContextManager[object]]
"""What is done with a lab that is up, around the steps that are played on it."""


@dataclass(frozen=True)
class Played:
    """What was seen of a play. `result` is None where a Ctrl-C ended it; `pattern` is the order
    that the lab declares, if it does; `whole` is as in `Judged`."""

    observation: Observation
    result: ScenarioResult | None
    pattern: Pattern | None
    whole: str = ""


def trace(
    engine: Engine,
    asked: Asked,
    wishes: Wishes,
    reporter: Reporter,
    around: Around = nullcontext,
    by_pattern: bool = True,
) -> Judged:
    """Play what is asked for, observed; return what was seen, judged, if wanted also by the order
    that the lab declares. Raises as `play` does."""
    played = play(engine, asked, wishes, reporter, around)
    seen = played.observation
    judged = judge(seen.recording, played.pattern if by_pattern else None, seen, played.result)
    return replace(judged, whole=played.whole, interrupted=played.result is None)


def play(
    engine: Engine,
    asked: Asked,
    wishes: Wishes,
    reporter: Reporter,
    around: Around = nullcontext,
) -> Played:
    """Play what is asked for, observed; return what was seen.

    `around` is entered before the first step, and left after the last.
    A Ctrl-C while it is played ends that, and what was seen until then is returned; one before
    or after ends all. Raises UsageError, before anything is made, where it names nothing that is
    there, and what the playing raises.
    """
    if asked.command is None and asked.name is None:
        return _on_copy(engine, asked, wishes, reporter, around)
    return _on_live(engine, asked, wishes, reporter, around)


def _on_copy(
    engine: Engine, asked: Asked, wishes: Wishes, reporter: Reporter, around: Around
) -> Played:
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
        what = (name, scenario), _pattern(lab, name)
        return _play(engine, up, observer, what, asked, reporter, around)


def _on_live(
    engine: Engine, asked: Asked, wishes: Wishes, reporter: Reporter, around: Around
) -> Played:
    if asked.command is None:
        if asked.what is not None and asked.scenario is not None:
            raise UsageError(
                f"{asked.what} says nothing beside --name {asked.name} and -s {asked.scenario}: "
                f"lab {asked.name} is up, and the scenario is named",
                f"Leave {asked.what} out; or leave --name out to play on a fresh copy.",
            )
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
        what = (name, scenario), pattern
        played = _play(engine, up, observer, what, asked, reporter, around)
    return played if pattern is None else replace(played, whole=_fresh(up, name))


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
    what: tuple[tuple[str, Scenario], Pattern | None],
    asked: Asked,
    reporter: Reporter,
    around: Around,
) -> Played:
    scenario, pattern = what
    if observer.tracer.name != NONE:
        reporter.say(f"tracer: {observer.tracer.name} ({observer.tracer.why})")
    shorter = scenario[0], bounded(scenario[1], asked.timeout)
    result: ScenarioResult | None = None
    try:
        with around(up):
            result = play_steps(engine, up, observer, shorter, reporter.steps)
    except KeyboardInterrupt:
        reporter.say("interrupted: what was seen until now follows; Ctrl-C again ends at once")
    return Played(finish(up, observer, title_of(up, shorter)), result, pattern)


def _pattern(lab: Lab, scenario: str) -> Pattern | None:
    """Return the order that the scenario declares, or else the lab."""
    told = lab.x.sequence_of(scenario)
    return None if told is None else parse(told)


def bounded(scenario: Scenario, timeout: float | None) -> Scenario:
    """Return a scenario whose steps may take no more than `timeout` seconds each."""
    if timeout is None:
        return scenario
    steps = [step.model_copy(update={"timeout": timeout}) for step in scenario.steps]
    return scenario.model_copy(update={"steps": steps})
