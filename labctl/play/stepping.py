"""Films a scenario or a command: what programs hold after each of their calls."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from labctl.engine import live
from labctl.engine.client import Engine
from labctl.engine.shield import shielded
from labctl.engine.up import Reporter as UpReporter
from labctl.errors import CheckFailed, UsageError
from labctl.lab.lab import Lab
from labctl.lab.model import Scenario
from labctl.observe.stepper import FilmWishes, Stepper
from labctl.observe.steps.model import Film
from labctl.play.alone import alone, host_of
from labctl.play.choose import chosen, lab_of, scenario_of
from labctl.play.fresh import fresh
from labctl.play.observed import play_steps, title_of
from labctl.play.player import SILENT
from labctl.play.results import ScenarioResult
from labctl.play.tracing import Asked, Reporter, bounded


@dataclass(frozen=True)
class Filmed:
    """A film, and how the scenario went: None where a Ctrl-C ended it."""

    film: Film
    result: ScenarioResult | None

    @property
    def passed(self) -> bool:
        return self.result is not None and self.result.passed


def film(engine: Engine, asked: Asked, wishes: FilmWishes, reporter: Reporter) -> Filmed:
    """Play what is asked for, each program stopped after each of its calls; return the film.

    On a copy of a lab its hosts' own programs are filmed too; on a lab that is up, what the
    scenario or the command starts. A Ctrl-C while it is played ends that, and the film until
    then is returned. Raises UsageError, before anything is made, where it names nothing that is
    there, and what the playing raises.
    """
    if asked.command is None and asked.name is None:
        return _on_copy(engine, asked, wishes, reporter)
    return _on_live(engine, asked, wishes, reporter)


def _on_copy(engine: Engine, asked: Asked, wishes: FilmWishes, reporter: Reporter) -> Filmed:
    here = Path.cwd()
    if asked.scenario is None:
        lab, name = chosen(None, asked.what, here, first=True)
    else:
        lab, name = chosen(asked.what, asked.scenario, here)
    with ExitStack() as stack:
        with reporter.coming_up:
            copy = _filmed_copy(engine, lab, wishes, reporter.up)
            up, stepper = stack.enter_context(copy)
        return _play(engine, up, stepper, (name, lab.x.scenarios[name]), asked, reporter)


def _on_live(engine: Engine, asked: Asked, wishes: FilmWishes, reporter: Reporter) -> Filmed:
    if asked.command is None:
        up = live.find(engine, asked.name)
        name, scenario = scenario_of(lab_of(up), asked.scenario or asked.what, first=True)
    else:
        if asked.scenario is not None:
            raise UsageError(
                "--scenario and a COMMAND exclude each other", "Leave one of them out."
            )
        up, host = host_of(engine, asked.what, asked.name)
        name, scenario = "command", alone(host, asked.command)
    hosts = [up.host(name) for name in dict.fromkeys(step.host for step in scenario.steps)]
    for one in hosts:
        live.require_running(one)
    with _stepper(engine, wishes, reporter.up) as stepper:
        for one in hosts:
            stepper.attach(one)
        return _play(engine, up, stepper, (name, scenario), asked, reporter)


@contextmanager
def _filmed_copy(
    engine: Engine, lab: Lab, wishes: FilmWishes, reporter: UpReporter
) -> Iterator[tuple[live.LiveLab, Stepper]]:
    """Within the block a copy of the lab is up, filmed from its hosts' first calls on."""
    with (
        _stepper(engine, wishes, reporter) as stepper,
        fresh(engine, lab, reporter, attendant=stepper) as up,
    ):
        try:
            yield up, stepper
        finally:
            _end(stepper)  # first the agents, as they live in the hosts' namespaces


@contextmanager
def _stepper(engine: Engine, wishes: FilmWishes, reporter: UpReporter) -> Iterator[Stepper]:
    """Within the block there is a stepper; at its end all that it stepped goes on."""
    stepper = Stepper(engine, wishes, reporter.note)
    try:
        yield stepper
    finally:
        _end(stepper)


def _end(stepper: Stepper) -> None:
    with shielded():
        stepper.end()


def _play(
    engine: Engine,
    up: live.LiveLab,
    stepper: Stepper,
    scenario: tuple[str, Scenario],
    asked: Asked,
    reporter: Reporter | None = None,
) -> Filmed:
    shorter = scenario[0], bounded(scenario[1], asked.timeout)
    result: ScenarioResult | None = None
    try:
        steps = reporter.steps if reporter else SILENT
        result = play_steps(engine, up, stepper, shorter, steps)
    except KeyboardInterrupt:
        if reporter is None:
            raise
        reporter.say("interrupted: what was filmed until now follows; Ctrl-C again ends at once")
    with tempfile.TemporaryDirectory(prefix="labctl-") as folder:
        return Filmed(stepper.stop(Path(folder), title_of(up, shorter)), result)


def shoot(engine: Engine, lab: Lab, scenario: str, wishes: FilmWishes | None = None) -> Film:
    """Play a scenario on a copy of the lab; return the film of it.

    Raises CheckFailed where a step fails.
    """
    with _filmed_copy(engine, lab, wishes or FilmWishes(), UpReporter()) as (up, stepper):
        filmed = _play(engine, up, stepper, (scenario, lab.x.scenarios[scenario]), Asked())
    failed = filmed.result.failed_step if filmed.result else None
    if failed is not None:
        raise CheckFailed(
            f"scenario {scenario}: step {failed.name} on host {failed.host} failed: {failed.why}",
            failed.stderr.strip() or f"`labctl run {scenario}` plays it alone.",
        )
    return filmed.film
