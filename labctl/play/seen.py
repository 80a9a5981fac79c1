"""What was seen of a scenario, as a test sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labctl.engine.client import Engine
from labctl.engine.up import Reporter
from labctl.errors import CheckFailed, UsageError
from labctl.lab.lab import Lab
from labctl.observe.wishes import Wishes
from labctl.play.observed import observed_copy, play_observed
from labctl.play.results import ScenarioResult
from labctl.sequence.pattern import Pattern, Verdict
from labctl.sequence.timeline import Timeline


class SeenTimeline(Timeline):
    """A timeline that remembers the verdicts that were not as wanted, for the test's report."""

    failed: list[Verdict]
    _declared: Mapping[str, Any] | None = None
    _scenario = ""

    @property
    def declared(self) -> Mapping[str, Any]:
        """The `sequence` that the lab file declares for the scenario.

        Raises UsageError where it declares none, so that no test passes for want of one.
        """
        if self._declared is None:
            raise UsageError(
                f"no sequence is declared for the scenario {self._scenario}",
                "Write `sequence:` into x-lab, or give `timeline.matches` a pattern.",
            )
        return self._declared

    def matches(self, pattern: Pattern | Mapping[str, Any]) -> Verdict:
        """As `Timeline.matches`."""
        verdict = super().matches(pattern)
        if not verdict:
            self.failed.append(verdict)
        return verdict


def require_passed(result: ScenarioResult) -> None:
    """Raise CheckFailed where a step of a scenario failed."""
    failed = result.failed_step
    if failed is not None:
        raise CheckFailed(
            f"scenario {result.name}: step {failed.name} on host {failed.host} failed: "
            f"{failed.why}",
            failed.stderr.strip() or f"`labctl run {result.name}` plays it alone.",
        )


def see(engine: Engine, lab: Lab, scenario: str, tracer: str) -> SeenTimeline:
    """Play a scenario on an observed copy of the lab; return what was seen.

    Raises CheckFailed where a step fails.
    """
    wishes = Wishes(tracer=tracer)
    steps = lab.x.scenarios[scenario]
    with observed_copy(engine, lab, wishes, Reporter()) as (live, observer):
        result, seen = play_observed(engine, live, observer, (scenario, steps))
    require_passed(result)
    timeline = SeenTimeline.of(seen.recording)
    timeline.failed = []
    timeline._declared = lab.x.sequence_of(scenario)
    timeline._scenario = scenario
    return timeline
