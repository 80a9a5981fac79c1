"""What `labctl syscalls` is asked for, played, and its crossings added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from shlex import join

from labctl.engine.client import Engine
from labctl.engine.up import Reporter as UpReporter
from labctl.errors import UsageError
from labctl.lab.lab import Lab
from labctl.observe.collect import Observation
from labctl.observe.wishes import Wishes
from labctl.play.observed import observed_copy, play_observed
from labctl.play.results import ScenarioResult
from labctl.play.seen import require_passed
from labctl.play.tracing import Asked, Reporter, play
from labctl.sequence.crossings import Crossings, tally
from labctl.sequence.events import Notice


@dataclass(frozen=True)
class Crossed:
    """The crossings of each process; `result` is None where a Ctrl-C ended the play."""

    title: str
    tracer: str
    processes: tuple[Crossings, ...]
    notices: tuple[Notice, ...]
    result: ScenarioResult | None

    def process(self, host: str, *words: str) -> Crossings:
        """Return the process of a host in whose command line these words are.

        Raises UsageError where it is none, or more than one, so that no test passes for want
        of one.
        """
        wanted = [one for one in self.processes if one.host == host and one.has(words)]
        if len(wanted) != 1:
            ran = ", ".join(one.program for one in self.processes if one.host == host) or "none"
            number = "no process" if not wanted else f"{len(wanted)} processes"
            raise UsageError(f"{number} of {host} with {join(words)}", f"There ran: {ran}.")
        return wanted[0]


def cross(engine: Engine, asked: Asked, wishes: Wishes, reporter: Reporter) -> Crossed:
    """Play what is asked for with every call traced. Raises as `tracing.play` does."""
    played = play(engine, asked, replace(wishes, every_call=True), reporter)
    return crossed(played.observation, played.result, asked.drawn)


def see_crossings(engine: Engine, lab: Lab, scenario: str, tracer: str) -> Crossed:
    """Play a scenario on a copy of the lab with every call traced, for a test.

    Raises CheckFailed where a step fails.
    """
    wishes = Wishes(tracer=tracer, every_call=True)
    steps = lab.x.scenarios[scenario]
    with observed_copy(engine, lab, wishes, UpReporter()) as (live, observer):
        result, seen = play_observed(engine, live, observer, (scenario, steps))
    require_passed(result)
    return crossed(seen, result)


def crossed(seen: Observation, result: ScenarioResult | None, hosts: Sequence[str] = ()) -> Crossed:
    """Add up what was seen; of these hosts only, where any are named."""
    found = tally(seen.recording, seen.processor, seen.commands)
    wanted = tuple(one for one in found if (not hosts or one.host in hosts) and not _is_init(one))
    recording = seen.recording
    return Crossed(recording.title, recording.tracer, wanted, recording.notices, result)


_INITS = {"docker-init", "tini", "catatonit", "dumb-init", "init"}


def _is_init(one: Crossings) -> bool:
    """Whether a process only waits for the others, and is no program of anybody's."""
    return one.pid == 1 and one.name in _INITS
