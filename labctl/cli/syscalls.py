"""`syscalls`: a scenario or a command played with every system call traced, and added up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labctl.cli import crossings
from labctl.cli.common import JsonOption, NameOption, WithCommand, command_of, told_console
from labctl.cli.files import require_suffixes
from labctl.cli.playing import (
    PlayedArgument,
    ScenarioOption,
    StepTimeoutOption,
    reporter,
    require_tracer,
)
from labctl.engine.client import connect
from labctl.observe.tracers import NAMES
from labctl.observe.wishes import SMALLEST_SNAPLEN, Wishes
from labctl.play import crossing, tracing


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("syscalls", cls=WithCommand, options_metavar="[OPTIONS] [-- COMMAND...]")(syscalls)


def syscalls(
    context: typer.Context,
    what: PlayedArgument = None,
    scenario: ScenarioOption = None,
    name: NameOption = None,
    files: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            help="Write to this file, by its suffix: .svg, .html, .txt. Can be given again.",
        ),
    ] = None,
    tracer: Annotated[
        str,
        typer.Option(help=f"What traces system calls: {', '.join(NAMES)} (auto: tracefs first)."),
    ] = "auto",
    timeout: StepTimeoutOption = None,
    max_bytes: Annotated[
        int, typer.Option(min=65536, help="No file of one host's calls grows beyond this.")
    ] = Wishes.max_bytes,
    hosts: Annotated[
        list[str] | None,
        typer.Option("--host", help="Show this host's processes only. Can be given again."),
    ] = None,
    kinds: Annotated[
        int, typer.Option(min=1, help="Draw so many kinds of call of each process at the most.")
    ] = 6,
    calls: Annotated[
        bool, typer.Option("--calls", help="Print also a table of all calls of each process.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Play a scenario, and show how each process crosses into the kernel: which calls, how
    often, how long inside and how long outside.

    Above the line is the program, below it the kernel (figure 6-26). Ends with 1 where a step
    failed.
    """
    require_suffixes(files or [], crossings.FORMS)
    require_tracer(tracer)
    command = command_of(context)
    asked = tracing.Asked(what, scenario, name, command, timeout, tuple(hosts or ()))
    console = told_console()
    wishes = Wishes(tracer, SMALLEST_SNAPLEN, max_bytes)
    crossed = crossing.cross(connect(), asked, wishes, reporter(console))
    crossings.tell(crossed, crossings.Out(files or [], as_json, kinds, calls, console))
