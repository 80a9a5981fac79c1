"""How a scenario went."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class StepState(Enum):
    """How a step ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"
    ENDED = "ended by us"
    """It was still running at the scenario's end, as a background step may."""


@dataclass(frozen=True)
class StepResult:
    """One step.

    `waited` is the time in seconds until its condition held, `seconds` the time it ran;
    None where it did not come to that. `code` is its exit code, 128 + the signal when one
    ended it. `why` says what was wrong with a failed step.
    """

    name: str
    host: str
    command: str
    background: bool
    state: StepState
    code: int | None
    seconds: float | None
    waited: float | None
    stdout: str
    stderr: str
    why: str


@dataclass(frozen=True, repr=False)
class ScenarioResult:
    """One play of a scenario on the lab that is up under `lab_name`."""

    name: str
    lab_name: str
    steps: tuple[StepResult, ...]

    @property
    def passed(self) -> bool:
        """Whether every step ran and none failed."""
        return all(step.state in (StepState.PASSED, StepState.ENDED) for step in self.steps)

    @property
    def failed_step(self) -> StepResult | None:
        """The step that stopped the scenario."""
        return next((step for step in self.steps if step.state is StepState.FAILED), None)

    def __repr__(self) -> str:
        failed = self.failed_step
        how = f"failed at {failed.name}: {failed.why}" if failed else "passed"
        return f"<scenario {self.name}: {how}>"

    def step(self, name: str) -> StepResult:
        """Return the step of that name; one without a name is called `step 2`. Raises KeyError."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(f"{name}; the steps are {', '.join(s.name for s in self.steps)}")
