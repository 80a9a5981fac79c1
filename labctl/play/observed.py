"""Plays a scenario, or runs a command, while all hosts are observed."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from labctl.engine import processes
from labctl.engine.client import Engine
from labctl.engine.inside import Done, TimedOut, run
from labctl.engine.live import LiveLab, require_running
from labctl.engine.output import Output
from labctl.engine.running import Running
from labctl.engine.shield import deferred, shielded
from labctl.engine.up import Reporter as UpReporter
from labctl.errors import LabctlError
from labctl.lab import model
from labctl.lab.lab import Lab
from labctl.observe.collect import Observation, collect
from labctl.observe.observer import Observer
from labctl.observe.wishes import Wishes
from labctl.play.fresh import fresh
from labctl.play.hosts import LiveHosts
from labctl.play.player import SILENT, Reporter, play_on
from labctl.play.results import ScenarioResult


class Gatekeeper(Protocol):
    """Who observes hosts, and holds commands on them at a gate until it does."""

    @property
    def hosts(self) -> Mapping[str, object]:
        """The hosts that are observed, by name."""

    def new_gate(self) -> str:
        """Return the mark of a gate that nobody else has."""

    def let_through(self, host: str, mark: str) -> None:
        """Observe the process that waits at the gate with this mark, and let it go on."""


@dataclass(frozen=True)
class ObservedHosts(LiveHosts):
    """The hosts of a lab, each command of a step observed from its first call on."""

    observer: Gatekeeper

    def start(
        self, host: str, argv: Sequence[str], env: Mapping[str, str], output: Output
    ) -> Running:
        found = self.lab.host(host)
        if host not in self.observer.hosts:
            return super().start(host, argv, env, output)
        gate = self.observer.new_gate()
        running = Running(self.engine, found, argv, env, output, gate)
        try:
            with deferred():  # an answer that is not waited for would be taken for the next one's
                self.observer.let_through(host, gate)
        except LabctlError:
            running.wait(0)  # what the engine refused is the better reason
            raise
        return running


@contextmanager
def observer_of(engine: Engine, wishes: Wishes, note: Callable[[str], None]) -> Iterator[Observer]:
    """Within the block there is an observer; at its end everything it held is let go."""
    observer = Observer(engine, wishes, note)
    try:
        yield observer
    finally:
        with shielded():
            observer.end()


@contextmanager
def observed_copy(
    engine: Engine, lab: Lab, wishes: Wishes, reporter: UpReporter
) -> Iterator[tuple[LiveLab, Observer]]:
    """Within the block a copy of the lab is up, observed from its hosts' first calls on."""
    with (
        observer_of(engine, wishes, reporter.note) as observer,
        fresh(engine, lab, reporter, attendant=observer) as live,
    ):
        try:
            yield live, observer
        finally:
            with shielded():
                observer.end()  # first the observers, as they live in the hosts' namespaces


@contextmanager
def attached(
    engine: Engine, live: LiveLab, wishes: Wishes, reporter: UpReporter
) -> Iterator[Observer]:
    """Within the block a lab that is up is observed; what it did before is not seen."""
    with observer_of(engine, wishes, reporter.note) as observer:
        observer.attach(live)
        yield observer


def play_observed(
    engine: Engine,
    live: LiveLab,
    observer: Observer,
    scenario: tuple[str, model.Scenario],
    reporter: Reporter = SILENT,
) -> tuple[ScenarioResult, Observation]:
    """Play a scenario on a lab that is observed; return how it went, and what was seen.

    Raises what `labctl.play.player.play` raises, and MachineError where observing fails.
    """
    result = play_steps(engine, live, observer, scenario, reporter)
    return result, finish(live, observer, title_of(live, scenario))


def play_steps(
    engine: Engine,
    live: LiveLab,
    observer: Gatekeeper,
    scenario: tuple[str, model.Scenario],
    reporter: Reporter = SILENT,
) -> ScenarioResult:
    """Play a scenario on a lab that is observed, and goes on to be; raises as `play_observed`."""
    name, steps = scenario
    for step in steps.steps:
        if step.host not in observer.hosts:  # one that was observed and has ended fails its step
            require_running(live.host(step.host))
    hosts = ObservedHosts(engine, live, observer)
    return play_on(hosts, live.name, name, steps, reporter)


def title_of(live: LiveLab, scenario: tuple[str, model.Scenario]) -> str:
    """Return what stands above the figure of a scenario."""
    name, steps = scenario
    return f"{live.lab}: {steps.title or name}"


def run_observed(
    engine: Engine,
    live: LiveLab,
    observer: Observer,
    host: str,
    argv: Sequence[str],
    timeout: float,
) -> Done:
    """Run a command inside an observed host, seen from its first call on, to its end.

    Raises TimedOut where it takes longer than `timeout` seconds, and MachineError where it
    cannot be observed.
    """
    output = Output()
    mark = processes.mark(secrets.token_hex(8))
    running = ObservedHosts(engine, live, observer).start(
        host, argv, {processes.MARK: mark}, output
    )
    if not running.wait(timeout):
        pids = [] if running.pid is None else [running.pid]
        run(engine, live.host(host), processes.end(mark, pids), timeout=timeout)
        raise TimedOut(
            f"on host {host}: `{' '.join(argv)}` did not end within {timeout:g} s",
            f"`labctl logs {live.name}` shows what the hosts said.",
        )
    assert running.code is not None
    out, err = output.stdout.text.encode(), output.stderr.text.encode()
    return Done(running.code, out, err, running.seconds)


def finish(live: LiveLab, observer: Observer, title: str) -> Observation:
    """End observing, once the hosts have come to rest; return what was seen."""
    observer.settle()
    with tempfile.TemporaryDirectory(prefix="labctl-") as folder:
        return collect(live, observer, title, Path(folder))
