"""`trace`: a scenario or a command played while all hosts are observed, and what was seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from labctl.cli import outcome, pictures
from labctl.cli.common import NameOption, WithCommand, command_of, told_console
from labctl.cli.playing import (
    PlayedArgument,
    ScenarioOption,
    StepTimeoutOption,
    reporter,
    require_tracer,
)
from labctl.engine.client import Engine, connect
from labctl.errors import UsageError
from labctl.observe.tracers import NAMES
from labctl.observe.wishes import SMALLEST_SNAPLEN, Wishes
from labctl.play import tracing
from labctl.play.judged import Judged, judge
from labctl.sequence import jsonl
from labctl.show.figure.model import Options


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("trace", cls=WithCommand, options_metavar="[OPTIONS] [-- COMMAND...]")(trace)


def trace(
    context: typer.Context,
    what: PlayedArgument = None,
    scenario: ScenarioOption = None,
    name: NameOption = None,
    files: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            help="Write to this file, by its suffix: .svg, .html, .mmd (Mermaid), .txt, .jsonl "
            "(events), .pcapng (packets). Can be given again.",
        ),
    ] = None,
    read: Annotated[
        Path | None,
        typer.Option("--from", help="Play nothing: draw the events of a .jsonl file."),
    ] = None,
    tracer: Annotated[
        str, typer.Option(help=f"What traces system calls: {', '.join(NAMES)}.")
    ] = "auto",
    timeout: StepTimeoutOption = None,
    max_bytes: Annotated[
        int,
        typer.Option(min=65536, help="No file of one host's calls or packets grows beyond this."),
    ] = Wishes.max_bytes,
    snaplen: Annotated[
        int, typer.Option(min=SMALLEST_SNAPLEN, help="Bytes kept of each packet.")
    ] = Wishes.snaplen,
    hosts: Annotated[
        list[str] | None,
        typer.Option("--host", help="Draw this host's calls only. Can be given again."),
    ] = None,
    connections: Annotated[
        list[int] | None,
        typer.Option("--connection", help="Draw this connection only. Can be given again."),
    ] = None,
    unfold: Annotated[bool, typer.Option(help="Draw each repetition on its own.")] = False,
    all_calls: Annotated[
        bool, typer.Option(help="Draw also calls that only wait, or set something.")
    ] = False,
    routers: Annotated[bool, typer.Option(help="Give routers lifelines of their own.")] = False,
    connects: Annotated[
        bool,
        typer.Option(
            "--connects", help="Print a table of all connects: errno, time, packets; no figure."
        ),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print the events (or the connects), one JSON object a line."),
    ] = False,
) -> None:
    """Play a scenario, show every system call and every packet of it, and check their order.

    What is drawn is what happened, on all hosts, on one clock. Ends with 1 where a step failed
    or the order is not the one that the lab declares. Ctrl-C ends what is played; what was
    seen until then is shown.
    """
    pictures.require_forms(files or [], played=read is None)
    require_tracer(tracer)
    asked = tracing.Asked(what, scenario, name, command_of(context), timeout, tuple(hosts or ()))
    console = told_console()
    if read is None:
        wishes = Wishes(tracer, snaplen, max_bytes)
        judged = _play(connect(), asked, wishes, console)
    else:
        judged = _read(read, asked)
    options = Options(
        connections=connections or None,
        hosts=hosts or None,
        unfold=unfold,
        all_calls=all_calls,
        routers=routers,
    )
    outcome.tell(
        judged, options, outcome.Out(files or [], as_json, console, connects), read is None
    )


def _play(engine: Engine, asked: tracing.Asked, wishes: Wishes, console: Console) -> Judged:
    return tracing.trace(engine, asked, wishes, reporter(console))


def _read(file: Path, asked: tracing.Asked) -> Judged:
    if asked != tracing.Asked(drawn=asked.drawn):
        raise UsageError("--from plays nothing", "Leave out what is to be played, or --from.")
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{file} cannot be read: {error}", "Name a .jsonl file of `trace`."
        ) from error
    return judge(jsonl.load(lines, str(file)))
