"""Plays a scenario: starts each step when its condition holds, and leaves nothing running."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from labctl.engine import processes
from labctl.engine.client import Engine
from labctl.engine.live import LiveLab, require_running
from labctl.engine.shield import shielded
from labctl.errors import EngineError, MachineError
from labctl.lab import model
from labctl.play import conditions
from labctl.play.hosts import Hosts, LiveHosts
from labctl.play.launcher import START_TIMEOUT, Launcher
from labctl.play.probes import Earlier
from labctl.play.results import ScenarioResult, StepResult, StepState
from labctl.play.steps import Play, prepare, text_of

_WATCH_EVERY = 0.25
"""Seconds between looks at the background steps while a foreground step runs."""


@dataclass(frozen=True)
class Reporter:
    """Who is told how it goes: of each step when it waits, when it starts, what came of it."""

    waits: Callable[[str, str, str], None] = lambda name, host, words: None
    starts: Callable[[str, str, str], None] = lambda name, host, command: None
    ended: Callable[[StepResult], None] = lambda result: None


SILENT = Reporter()


def play(
    engine: Engine,
    lab: LiveLab,
    name: str,
    scenario: model.Scenario,
    reporter: Reporter = SILENT,
) -> ScenarioResult:
    """Play a scenario on a lab that is up.

    A step that fails stops it: what runs in the background is ended and the later steps are
    `not run`. Nothing that it started still runs in the hosts when this returns or raises.
    Raises UsageError when the lab has not all of its hosts, MachineError when one of them
    does not run at the start or something could not be ended, EngineError when the engine
    goes away.
    """
    for step in scenario.steps:
        require_running(lab.host(step.host))
    return play_on(LiveHosts(engine, lab), lab.name, name, scenario, reporter)


def play_on(
    hosts: Hosts,
    lab_name: str,
    name: str,
    scenario: model.Scenario,
    reporter: Reporter = SILENT,
    grace: float = processes.GRACE,
) -> ScenarioResult:
    """As `play`, on any hosts; `grace` is in seconds, from SIGTERM to SIGKILL."""
    player = _Player(hosts, scenario, reporter, grace)
    try:
        player.run()
    finally:
        with shielded():
            player.end()
    return ScenarioResult(name, lab_name, tuple(one.result() for one in player.plays))


class _Player:
    def __init__(
        self, hosts: Hosts, scenario: model.Scenario, reporter: Reporter, grace: float
    ) -> None:
        self.plays = prepare(scenario.steps)
        self._hosts = hosts
        self._reporter = reporter
        self._launcher = Launcher(hosts, grace)

    def run(self) -> None:
        """Play the steps until one fails."""
        for one in self.plays:
            try:
                self._wait_for(one)
                if not self._failed():
                    self._run_step(one)
            except EngineError:
                raise
            except MachineError as error:  # a host has ended or is gone
                one.fail(error.message)
            self._tell(one)
            if self._failed():
                return

    def _wait_for(self, one: Play) -> None:
        earlier = {
            e.name: Earlier(e.name, e.command, e.output)
            for e in self.plays
            if e.command is not None
        }
        step = one.step
        wanted = conditions.of(step.when, self._hosts, earlier, self._launcher.probe)
        if wanted:
            words = " and ".join(condition.words for condition in wanted)
            self._reporter.waits(one.name, step.host, words)
        began = time.monotonic()
        unmet = conditions.wait(wanted, step.timeout, self._background_failed)
        one.waited = time.monotonic() - began
        if unmet is not None and not self._failed():
            one.fail(unmet + self._deaths())

    def _run_step(self, one: Play) -> None:
        step = one.step
        self._reporter.starts(one.name, step.host, text_of(step.run))
        one.command = self._launcher.start(step.host, step.run, one.number, one.output)
        if step.background:
            one.command.settle(START_TIMEOUT)
            one.command.wait(0)
            return
        deadline = time.monotonic() + step.timeout
        while not one.command.wait(min(_WATCH_EVERY, max(0, deadline - time.monotonic()))):
            if self._background_failed():
                return
            if time.monotonic() >= deadline:
                one.fail(f"it was still running after {step.timeout:g} s, and was ended")
                return
        one.judge(self._hosts)

    def _failed(self) -> bool:
        return any(one.state is StepState.FAILED for one in self.plays)

    def _background_failed(self) -> bool:
        """Judge background steps that have ended meanwhile; tell whether one has failed."""
        for one in self.plays:
            if one.running and one.step.background and _has_ended(one):
                self._judge(one)
        return self._failed()

    def _judge(self, one: Play) -> None:
        try:
            one.judge(self._hosts)
        except EngineError:
            raise
        except MachineError as error:
            one.fail(error.message)
        self._tell(one)

    def _tell(self, one: Play) -> None:
        if one.state is not StepState.NOT_RUN:
            self._reporter.ended(one.result())

    def _deaths(self) -> str:
        """Name background steps that ended badly of themselves: mostly they are the reason."""
        ended = [
            f"; step {one.name} ended with exit code {one.command.code}"
            for one in self.plays
            if one.step.background and one.command and one.command.code
        ]
        return "".join(ended)

    def end(self) -> None:
        """End all that still runs in the hosts, and give those steps their results."""
        failed = self._failed()
        for one in self.plays:
            one.ended_by_us = one.running and not _has_ended(one)
        self._launcher.end()
        for one in self.plays:
            if one.ended_by_us and (failed or not one.step.background):
                one.state = StepState.ENDED  # it had no chance to end as expected
                self._tell(one)
            elif one.running:
                self._judge(one)


def _has_ended(one: Play) -> bool:
    """Tell whether a step's command has ended; that of a host which is gone has."""
    assert one.command is not None
    try:
        return one.command.wait(0)
    except EngineError:
        raise
    except MachineError:
        return True
