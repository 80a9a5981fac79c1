"""`queues`: the send and receive queues of every connection, at both ends, over time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from labctl.cli import queue_files
from labctl.cli.common import JsonOption, NameOption, figure_console, told_console
from labctl.cli.playing import ScenarioOption, reporter, require_tracer
from labctl.engine import live
from labctl.engine.client import Engine, connect
from labctl.errors import UsageError
from labctl.observe.queues.seen import Queues, seen
from labctl.observe.tracers import NAMES, NONE
from labctl.observe.wishes import Wishes
from labctl.play import tracing
from labctl.play.queues import INTERVAL, LEAST_INTERVAL, Sampler, sampling
from labctl.show.queues import summary, terminal
from labctl.show.queues.asjson import as_json as as_object
from labctl.show.queues.picture import picture

_NAP = 0.2


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("queues")(queues)


def queues(
    what: Annotated[
        str | None,
        typer.Argument(
            help="A lab or a scenario, played on a fresh copy; with --name a scenario of that "
            "lab, which is up.",
            show_default=False,
        ),
    ] = None,
    scenario: ScenarioOption = None,
    name: NameOption = None,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            "-w",
            help="Play nothing: watch a lab that is up until Ctrl-C or --timeout.",
        ),
    ] = False,
    files: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            help="Write to this file, by its suffix: .svg, .png, .html, .txt, .json. "
            "Can be given again.",
        ),
    ] = None,
    interval: Annotated[
        float, typer.Option(min=LEAST_INTERVAL, max=10, help="Seconds between two looks.")
    ] = INTERVAL,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="Seconds that each step may take; of --watch, all.", show_default=False
        ),
    ] = None,
    tracer: Annotated[
        str,
        typer.Option(
            help=f"What sees that a send blocks: {', '.join(NAMES)}, or none, which costs least."
        ),
    ] = "auto",
    as_json: JsonOption = False,
) -> None:
    """Draw how the send and receive queues of every connection fill and empty, at both ends.

    Both ends are on one clock. Ends with 1 where a step fails. Ctrl-C ends what is played, or
    watched; what was seen until then is drawn.
    """
    wanted = files or []
    queue_files.require_files(wanted)
    require_tracer(tracer, [*NAMES, NONE])
    engine = connect()
    console = told_console()
    if watch:
        if what is not None or scenario is not None:
            raise UsageError("--watch plays nothing", "Leave the scenario out, or --watch.")
        _show(_watched(engine, name, interval, timeout, console), wanted, as_json, console)
        return
    asked = tracing.Asked(what, scenario, name, timeout=timeout)
    found, passed, interrupted = _played(engine, asked, Wishes(tracer), interval, console)
    _show(found, wanted, as_json, console)
    if interrupted:
        raise typer.Abort
    if not passed:
        raise typer.Exit(1)


def _played(
    engine: Engine, asked: tracing.Asked, wishes: Wishes, interval: float, console: Console
) -> tuple[Queues, bool, bool]:
    """Return what was seen of a play, whether its steps went well, and whether it was ended."""
    told = reporter(console)
    samplers: list[Sampler] = []

    @contextmanager
    def around(lab: live.LiveLab) -> Iterator[None]:
        with sampling(engine, lab, interval, told.say) as sampler:
            samplers.append(sampler)
            yield

    judged = tracing.trace(engine, asked, wishes, told, around)
    if not samplers:
        raise typer.Abort  # it was ended before anything was looked at
    found = seen(judged.timeline.recording.title, samplers[0].sampled, judged.timeline)
    played = judged.result is not None and judged.result.passed
    return found, played, judged.interrupted


def _watched(
    engine: Engine, name: str | None, interval: float, timeout: float | None, console: Console
) -> Queues:
    lab = live.find(engine, name)
    say = _say(console)
    deadline = None if timeout is None else time.monotonic() + timeout
    with sampling(engine, lab, interval, say) as sampler:
        say(f"watching lab {lab.name}" + ("; Ctrl-C ends it" if timeout is None else ""))
        try:
            while deadline is None or time.monotonic() < deadline:
                time.sleep(_NAP if deadline is None else max(0, deadline - time.monotonic()))
        except KeyboardInterrupt:
            pass  # that is how it is ended
    return seen(f"{lab.lab}: watched", sampler.sampled)


def _say(console: Console) -> Callable[[str], None]:
    def say(line: str) -> None:
        console.print(line, markup=False)

    return say


def _show(found: Queues, files: list[Path], as_json: bool, console: Console) -> None:
    """Write what was seen to files, and print it; the picture where it is not in a file.

    Raises MachineError where a file could not be written.
    """
    written: list[str] = []
    wrong = queue_files.write_all(found, files, written.append)
    if as_json:
        print(json.dumps(as_object(found)))
    else:
        if found.busy and (not files or wrong is not None):
            out = figure_console()
            print(terminal.draw(picture(found), out.width, out.is_terminal))
        for line in summary.lines(found):
            print(line)
    for line in written:
        console.print(line, markup=False)
    if wrong is not None:
        raise wrong
