"""What the commands share that play a scenario while something is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from labctl.cli import steps
from labctl.cli.complete import complete_scenario
from labctl.engine.up import Reporter as UpReporter
from labctl.errors import UsageError
from labctl.lab.near import did_you_mean
from labctl.observe.tracers import NAMES
from labctl.play.tracing import Reporter
from labctl.show.progress import HostProgress

PlayedArgument = Annotated[
    str | None,
    typer.Argument(
        help="A lab or a scenario, played on a fresh copy; before `-- COMMAND`, the host "
        "(HOST or NAME/HOST) of a lab that is up on which the command is run.",
        show_default=False,
    ),
]
ScenarioOption = Annotated[
    str | None,
    typer.Option(
        "--scenario",
        "-s",
        help="Which of the lab's scenarios; without it the first.",
        autocompletion=complete_scenario,
        show_default=False,
    ),
]
StepTimeoutOption = Annotated[
    float | None,
    typer.Option("--timeout", min=0.1, help="Seconds that each step may take.", show_default=False),
]


def require_tracer(name: str, known: Sequence[str] = NAMES) -> None:
    """Raise UsageError where there is no tracer of that name."""
    if name not in known:
        raise UsageError(f"there is no tracer {name}", did_you_mean(name, known, "the tracers"))


def reporter(console: Console) -> Reporter:
    """Return who tells on `console` how a lab comes up and how its scenario goes."""
    progress = HostProgress(console, "the lab")
    up = UpReporter(progress.host, progress.note, progress.hosts)

    def say(line: str) -> None:
        console.print(line, markup=False)

    return Reporter(up, steps.lines(console), say, progress)
