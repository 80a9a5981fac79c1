"""`sockets`: the descriptor tables of a host, and the kernel's structure behind each socket."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.live import Live

from labctl.cli.common import JsonOption, NameOption, print_json
from labctl.cli.hosts import HostArgument
from labctl.engine import live
from labctl.engine.client import connect
from labctl.errors import UsageError
from labctl.observe.sockets.model import Snapshot
from labctl.observe.sockets.select import require_process, selected
from labctl.play import sockets as looking
from labctl.show.sockets import text
from labctl.show.sockets.asjson import as_json as as_object

_PLAIN_WIDTH = 100
_Looks = Iterator[tuple[Snapshot, bool]]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("sockets")(sockets)


def sockets(
    host: HostArgument,
    process: Annotated[
        str | None,
        typer.Option(
            "--process",
            "-p",
            metavar="PID|NAME",
            help="Show this process only: its number on the host, its program or script.",
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Go on, and show what changes, until Ctrl-C.")
    ] = False,
    interval: Annotated[
        float, typer.Option(min=0.02, help="Seconds between two looks of --watch.")
    ] = 0.5,
    timeout: Annotated[
        float | None,
        typer.Option(min=0.1, help="Seconds after which --watch ends.", show_default=False),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            "-a",
            help="Show also processes without sockets, and sockets held from outside the host.",
        ),
    ] = False,
    name: NameOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the descriptor table of each process, and the kernel's structure of each socket.

    A field that is still empty shows as a dash.
    """
    if timeout is not None and not watch:
        raise UsageError("--timeout is the end of --watch", "Leave it out, or add --watch.")
    engine = connect()
    found = live.find_host(engine, host, name)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)

    def shown(snapshot: Snapshot) -> Snapshot:
        return selected(snapshot, process, everything)

    def note(line: str) -> None:
        errors.print(line, markup=False)

    with looking.looking(engine, found, note) as looker:
        first = looker.look()
        if process is not None:
            require_process(first, process)
        if not watch:
            _once(shown(first), as_json)
            return
        looks = looking.changing(looker, interval, timeout, shown)
        try:
            _watch(looks, as_json)
        except KeyboardInterrupt:
            return  # the ordinary end of watching
        except looking.HostEnded as end:
            note(end.message)


def _once(snapshot: Snapshot, as_json: bool) -> None:
    if as_json:
        print_json(as_object(snapshot))
        return
    console = _console()
    for line in text.draw(snapshot, console.width):
        console.print(line, soft_wrap=True)


def _watch(looks: _Looks, as_json: bool) -> None:
    console = _console()
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


def _console() -> Console:
    """Return where the figure goes: as wide as the terminal; elsewhere as COLUMNS says."""
    console = Console(highlight=False)
    known = console.is_terminal or "COLUMNS" in os.environ
    return console if known else Console(highlight=False, width=_PLAIN_WIDTH)
