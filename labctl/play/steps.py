"""One step of a scenario while it is played, and how it is judged."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass

from labctl.engine.output import Output
from labctl.lab import model
from labctl.play.hosts import Command, Hosts
from labctl.play.results import StepResult, StepState
from labctl.play.words import exit_words, last_line

_KILLED = 128 + 9
_PATIENCE = 1.0
"""Seconds in which the engine notices that a host has ended whose processes were killed."""


def argv_of(command: model.Command) -> list[str]:
    """Return what is executed: a text goes to a shell."""
    return ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)


def text_of(command: model.Command) -> str:
    """Return a command as a person writes it."""
    return command.strip() if isinstance(command, str) else shlex.join(command)


@dataclass
class Play:
    """A step with what has come of it so far."""

    number: int
    step: model.Step
    output: Output
    command: Command | None = None
    waited: float | None = None
    state: StepState = StepState.NOT_RUN
    why: str = ""
    ended_by_us: bool = False

    @property
    def name(self) -> str:
        """Its name in reports."""
        return self.step.name or f"step {self.number}"

    @property
    def running(self) -> bool:
        """Whether it was started and has no result yet."""
        return self.command is not None and self.state is StepState.NOT_RUN

    def fail(self, why: str) -> None:
        """Say that it failed; the first reason counts."""
        if self.state is not StepState.FAILED:
            self.state, self.why = StepState.FAILED, why

    def judge(self, hosts: Hosts) -> None:
        """Give its result, now that its command has ended.

        Raises MachineError when its host has ended or is gone.
        """
        if self.state is not StepState.NOT_RUN:
            return
        wrong = self._wrong(hosts)
        if wrong:
            self.fail(wrong)
        else:
            self.state = StepState.ENDED if self.ended_by_us else StepState.PASSED

    def _wrong(self, hosts: Hosts) -> str:
        code = self.command.code if self.command else None
        if not self.ended_by_us and code in (None, _KILLED):
            _wait_for_its_end(hosts, self.step.host)
        if code is None:
            return "it could not be ended"
        expect = self.step.expect or (None if self.step.background else model.Expect())
        if expect is None:
            return ""
        if code != expect.exit:
            return self._wrong_code(code, expect.exit)
        if expect.stdout is not None and not self.output.stdout.has(expect.stdout):
            last = last_line(self.output.stdout.text)
            what = f'its last line is "{last}"' if last else "it printed nothing"
            return f'its output does not contain "{expect.stdout}"; {what}'
        return ""

    def _wrong_code(self, code: int, wanted: int) -> str:
        if self.ended_by_us:
            return (
                f"it was still running at the scenario's end, and ended with "
                f"{exit_words(code)} then, where {wanted} was expected"
            )
        return f"{exit_words(code)}, where {wanted} was expected"

    def result(self) -> StepResult:
        """Return what came of it."""
        return StepResult(
            name=self.name,
            host=self.step.host,
            command=text_of(self.step.run),
            background=self.step.background,
            state=self.state,
            code=self.command.code if self.command else None,
            seconds=self.command.seconds if self.command else None,
            waited=self.waited,
            stdout=self.output.stdout.text,
            stderr=self.output.stderr.text,
            why=self.why,
        )


def _wait_for_its_end(hosts: Hosts, host: str) -> None:
    """Raise MachineError if the host ends: its processes are killed first, and seen first."""
    deadline = time.monotonic() + _PATIENCE
    nap = 0.02
    while time.monotonic() < deadline:
        hosts.require_running(host)
        time.sleep(nap)
        nap *= 1.5


def prepare(steps: Sequence[model.Step]) -> list[Play]:
    """Return the steps before any has run; each knows the texts that will be asked for."""
    return [Play(n, step, Output(_wanted(step, steps))) for n, step in enumerate(steps, start=1)]


def _wanted(step: model.Step, steps: Sequence[model.Step]) -> set[str]:
    wanted = {
        other.when.output.contains
        for other in steps
        if other.when.output is not None and other.when.output.step == step.name
    }
    if step.expect is not None and step.expect.stdout is not None:
        wanted.add(step.expect.stdout)
    return wanted
