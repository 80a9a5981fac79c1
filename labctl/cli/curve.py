"""`curve`: growing load on a server, from a program on a host, drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from labctl.cli import curve_files
from labctl.cli.common import (
    JsonOption,
    NameOption,
    WithCommand,
    command_of,
    figure_console,
    told_console,
)
from labctl.cli.complete import complete_host
from labctl.cli.files import show_and_write
from labctl.engine import live
from labctl.engine.client import connect
from labctl.errors import LabctlError, UsageError
from labctl.play.curve import Curve, Measured, Point, measure
from labctl.play.hosts import LiveHosts
from labctl.show.curve import terminal, words


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("curve", cls=WithCommand, options_metavar="[OPTIONS] [-- COMMAND...]")(curve)


def curve(
    context: typer.Context,
    host: Annotated[
        str | None,
        typer.Argument(
            help="The host that runs COMMAND, or NAME/HOST.",
            autocompletion=complete_host,
            show_default=False,
        ),
    ] = None,
    name: NameOption = None,
    files: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            help="Write to this file, by its suffix: .svg, .png, .txt, .json. Can be given again.",
        ),
    ] = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            "--with",
            "-w",
            help="Draw the curves of this .json file too. Can be given again.",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(min=0.1, help="Seconds that COMMAND may take.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put growing load on a server, and draw how many answers come, and after what time.

    COMMAND, as `crowd directory --json`, does it on HOST, and tells a JSON line for each load.
    Ends with 1 where it fails or takes too long, 3 where the host ends. What came until then, also
    until Ctrl-C, is drawn.
    """
    wanted = files or []
    curve_files.require_files(wanted)
    known = [one for file in beside or [] for one in curve_files.read(file)]
    command = command_of(context)
    if (host is None) != (command is None) or not (host or known):
        raise UsageError(
            "a curve needs a host and a command, or files",
            "As `labctl curve crowd -- crowd directory --json`, or `labctl curve --with a.json`.",
        )
    console = told_console()
    new = _measured(host, name, command, timeout, console) if host and command else None
    found = known if new is None else [*known, new.curve]
    if new is not None and not new.whole:
        console.print(words.missing(new.curve), markup=False)
    _end(new, _show(found, wanted, as_json, console), console)


def _measured(
    host: str, name: str | None, command: list[str], timeout: float | None, console: Console
) -> Measured:
    engine = connect()
    found = live.find_host(engine, host, name)
    hosts = LiveHosts(engine, live.find(engine, found.lab_name))
    console.print(words.heading(), markup=False)

    def told(point: Point) -> None:
        console.print(words.row(point), markup=False)

    return measure(hosts, found.name, command, told, timeout)


def _show(
    curves: list[Curve], files: list[Path], as_json: bool, console: Console
) -> LabctlError | None:
    """Print curves and write them to files, whatever becomes of either.

    Returns what could not be written; the picture is shown then, as it was wanted somewhere.
    """

    def show() -> None:
        if as_json:
            print(json.dumps([words.as_json(one) for one in curves]))
        else:
            if not files:
                _draw(curves)
            for one in curves:
                print(words.summary(one))

    unwritten = show_and_write(
        show,
        files,
        lambda file: curve_files.write(curves, file),
        lambda line: console.print(line, markup=False),
    )
    if unwritten is not None and not as_json:
        _draw(curves)
    return unwritten


def _draw(curves: list[Curve]) -> None:
    out = figure_console()
    print(terminal.draw(curves, out.width, out.is_terminal))


def _end(measured: Measured | None, unwritten: LabctlError | None, console: Console) -> None:
    """End as it went. Raises what went wrong, of two things that which no check is about."""
    wrong = None if measured is None else measured.wrong
    if wrong is not None and unwritten is not None:
        console.print(wrong.message, markup=False)
    error = unwritten or wrong
    if error is not None:
        raise error
    if measured is not None and measured.interrupted:
        raise typer.Abort
