"""How a scenario went, as a table, text and JSON. Pure."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from labctl.play.results import ScenarioResult, StepResult, StepState
from labctl.play.words import last_line

_STYLES = {
    StepState.PASSED: "green",
    StepState.ENDED: "green",
    StepState.FAILED: "bold red",
    StepState.NOT_RUN: "dim",
}
_WIDE = 200


def as_json(result: ScenarioResult) -> dict[str, Any]:
    """Return a result as `run --json` shows it; times are in seconds."""
    return {
        "scenario": result.name,
        "name": result.lab_name,
        "passed": result.passed,
        "steps": [_step_json(step) for step in result.steps],
    }


def _step_json(step: StepResult) -> dict[str, Any]:
    return {
        **vars(step),
        "state": step.state.value,
        "waited": None if step.waited is None else round(step.waited, 3),
        "seconds": None if step.seconds is None else round(step.seconds, 3),
    }


def table(result: ScenarioResult) -> Table:
    """Return a table of the steps; times are in seconds."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("STEP", "HOST", "COMMAND", "WAITED", "SECONDS", "EXIT", "STATE"):
        right = column in ("WAITED", "SECONDS", "EXIT")
        made.add_column(column, overflow="fold", justify="right" if right else "left")
    for step in result.steps:
        made.add_row(
            escape(step.name),
            step.host,
            escape(one_line(step.command) + (" &" if step.background else "")),
            _seconds(step.waited),
            _seconds(step.seconds),
            "" if step.code is None else str(step.code),
            f"[{_STYLES[step.state]}]{step.state.value}",
        )
    return made


def one_line(command: str, longest: int = 60) -> str:
    """Return a command as one line, shortened."""
    line = " ".join(command.split())
    return line if len(line) <= longest else line[: longest - 3] + "..."


def _seconds(told: float | None) -> str:
    return "" if told is None else f"{told:.2f}"


def line(step: StepResult) -> str:
    """Return one line on how a step ended, with the last that it printed or what was wrong."""
    took = f" in {step.seconds:.2f} s" if step.seconds is not None else ""
    said = step.why or last_line(step.stdout) or last_line(step.stderr)
    return f"{step.name}: {step.state.value}{took}" + (f": {said}" if said else "")


def failures(result: ScenarioResult) -> str:
    """Return why it failed: each failed step with all it printed, and what background steps
    printed that ended badly of themselves. Empty when it passed."""
    if result.passed:
        return ""
    parts = []
    for step in result.steps:
        died = step.background and step.state is StepState.PASSED and step.code != 0
        if step.state is StepState.FAILED or died:
            parts += [f"{step.name} on {step.host}: {step.why or f'exit code {step.code}'}"]
            parts += _printed("its output", step.stdout) + _printed("its errors", step.stderr)
    return "\n".join(parts)


def _printed(what: str, text: str) -> list[str]:
    lines = text.rstrip().splitlines()
    return [f"  {what}:", *(f"    {line}" for line in lines)] if lines else []


def text(result: ScenarioResult) -> str:
    """Return the table and the failures as plain text."""
    console = Console(width=_WIDE, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(table(result))
    lines = (line.rstrip() for line in captured.get().splitlines())
    return "\n".join([*lines, failures(result), ""])
