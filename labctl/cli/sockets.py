"""`sockets`: the descriptor tables of a host, and the kernel's structure behind each socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.live import Live

from labctl.cli import film
from labctl.cli.common import (
    JsonOption,
    NameOption,
    WithCommand,
    command_of,
    figure_console,
    print_json,
)
from labctl.cli.complete import complete_host, complete_scenario
from labctl.cli.watching import IntervalOption, Looks, Watch, WatchOption, look
from labctl.engine import live
from labctl.engine.client import connect
from labctl.errors import UsageError
from labctl.observe.sockets.model import Snapshot
from labctl.observe.sockets.select import selected
from labctl.observe.stepper import FilmWishes
from labctl.play.tracing import Asked
from labctl.show.sockets import text
from labctl.show.sockets.asjson import as_json as as_object


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("sockets", cls=WithCommand, options_metavar="[OPTIONS] [-- COMMAND...]")(sockets)


def sockets(
    context: typer.Context,
    host: Annotated[
        str | None,
        typer.Argument(
            metavar="HOST",
            help="A host, or NAME/HOST. With --steps a lab or a scenario, played on a fresh copy, "
            "or, before `-- COMMAND`, the host on which the command is run.",
            autocompletion=complete_host,
            show_default=False,
        ),
    ] = None,
    process: Annotated[
        str | None,
        typer.Option(
            "--process",
            "-p",
            metavar="PID|NAME",
            help="Show this process only: its number on the host, its program or script.",
        ),
    ] = None,
    watch: WatchOption = False,
    interval: IntervalOption = 0.5,
    steps: Annotated[
        bool,
        typer.Option("--steps", help="Stop programs after each call, and show what it changed."),
    ] = False,
    scenario: Annotated[
        str | None,
        typer.Option(
            "--scenario",
            "-s",
            help="Of --steps: which of the lab's scenarios; without it the first.",
            autocompletion=complete_scenario,
            show_default=False,
        ),
    ] = None,
    files: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            help="Of --steps: write to this file, by its suffix: .html, .txt, .jsonl. Can be "
            "given again.",
        ),
    ] = None,
    frames: Annotated[
        int, typer.Option(min=1, help="Of --steps: at most so many frames of each host.")
    ] = FilmWishes.frames,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            help="Seconds after which --watch ends; with --steps, that each step may take.",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            "-a",
            help="Show also processes without sockets, and sockets held from outside the host; "
            "with --steps, calls on a C library's own sockets.",
        ),
    ] = False,
    name: NameOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the descriptor table of each process, and the kernel's structure of each socket.

    A field that is still empty shows as a dash. With --steps it is a film: a frame after each
    call, on all hosts, which ends with 1 where a step failed.
    """
    if steps:
        _refuse(watch, "--watch", "--steps", "It shows each change by itself.")
        _refuse(process is not None, "--process", "--steps", "It shows all that it steps.")
        asked = Asked(host, scenario, name, command_of(context), timeout)
        film.film(asked, FilmWishes(frames, everything), files or [], as_json)
        return
    for given, what in ((scenario, "--scenario"), (files, "--output")):
        _require_steps(given, what)
    _require_steps(command_of(context), "a COMMAND after --")
    how = Watch(watch, interval, timeout)
    if host is None:
        raise UsageError("of which host?", "labctl sockets HOST; `labctl ps` lists the hosts.")
    engine = connect()
    found = live.find_host(engine, host, name)

    def shown(snapshot: Snapshot) -> Snapshot:
        return selected(snapshot, process, everything)

    once, follow = partial(_once, as_json=as_json), partial(_watch, as_json=as_json)
    look(engine, found, process, how, once, follow, shown)


def _refuse(given: bool, what: str, other: str, hint: str) -> None:
    if given:
        raise UsageError(f"{what} and {other} exclude each other", hint)


def _require_steps(given: object, what: str) -> None:
    if given:
        raise UsageError(f"{what} is for --steps only", "Leave it out, or add --steps.")


def _once(snapshot: Snapshot, as_json: bool) -> None:
    if as_json:
        print_json(as_object(snapshot))
        return
    console = figure_console()
    for line in text.draw(snapshot, console.width):
        console.print(line, soft_wrap=True)


def _watch(looks: Looks, as_json: bool) -> None:
    console = figure_console()
    with ExitStack() as stack:
        show = _as_line if as_json else _below(console)
        if console.is_terminal and not as_json:
            show = _in_place(stack.enter_context(Live(console=console, auto_refresh=False)))
        before: Snapshot | None = None
        for snapshot, changed in looks:
            show(snapshot, before, changed)
            before = snapshot


_Show = Callable[[Snapshot, Snapshot | None, bool], None]


def _as_line(snapshot: Snapshot, _before: Snapshot | None, changed: bool) -> None:
    if changed:
        print(json.dumps(as_object(snapshot), ensure_ascii=False), flush=True)


def _below(console: Console) -> _Show:
    """Return what prints each snapshot that has changed below the one before."""

    def show(snapshot: Snapshot, before: Snapshot | None, changed: bool) -> None:
        if not changed:
            return
        for line in (text.headline(snapshot), *text.draw(snapshot, console.width, before)):
            console.print(line, soft_wrap=True)
        console.print()
        console.file.flush()

    return show


def _in_place(display: Live) -> _Show:
    """Return what draws each snapshot over the one before.

    What changed stays marked until something else does; timers go on meanwhile.
    """
    marked_from: list[Snapshot | None] = [None]

    def show(snapshot: Snapshot, before: Snapshot | None, changed: bool) -> None:
        if changed:
            marked_from[0] = before
        lines = text.draw(snapshot, display.console.width, marked_from[0])
        display.update(Group(text.headline(snapshot), *lines), refresh=True)

    return show
