"""What was seen of a play, put in order, judged and explained."""

from __future__ import annotations

from dataclasses import dataclass

from labctl.errors import UsageError
from labctl.observe.collect import Observation
from labctl.play.results import ScenarioResult
from labctl.sequence.diagnose import Diagnosis, diagnose
from labctl.sequence.pattern import Pattern, PatternError, Verdict
from labctl.sequence.recording import Recording
from labctl.sequence.timeline import Timeline


@dataclass(frozen=True)
class Judged:
    """A timeline with what is to be said of it.

    `observation` is None where the events were read from a file, `result` where no scenario
    was played, `verdict` where no pattern was given. `whole` is the command that plays the
    same with nothing missed, empty where this did. `interrupted` says that a Ctrl-C ended it.
    """

    timeline: Timeline
    diagnoses: tuple[Diagnosis, ...]
    verdict: Verdict | None = None
    observation: Observation | None = None
    result: ScenarioResult | None = None
    whole: str = ""
    interrupted: bool = False

    @property
    def passed(self) -> bool:
        """Whether the play went well, and what happened was as wanted."""
        played = self.result is None or self.result.passed
        return played and (self.verdict is None or bool(self.verdict))


def judge(
    recording: Recording,
    pattern: Pattern | None = None,
    observation: Observation | None = None,
    result: ScenarioResult | None = None,
) -> Judged:
    """Put what was seen in order, and judge it by a pattern.

    Raises UsageError where the pattern names a host that was not observed.
    """
    timeline = Timeline.of(recording)
    try:
        verdict = None if pattern is None else timeline.matches(pattern)
    except PatternError as error:
        raise UsageError(f"the sequence cannot be judged: {error.message}", error.hint) from error
    return Judged(timeline, diagnose(timeline), verdict, observation, result)
