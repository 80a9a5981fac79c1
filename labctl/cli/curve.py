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
from labctl.engine import live
from labctl.engine.client import connect
from labctl.errors import CheckFailed, UsageError
from labctl.play.curve import Curve, Point, measure
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
    Ends with 1 where it fails; what came until then is drawn.
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
    found, why = list(known), None
    if host is not None and command:
        new, why = _measured(host, name, command, timeout, console)
        found.append(new)
    _show(found, wanted, as_json, console)
    if why is not None:
        raise CheckFailed(f"`{command[0] if command else ''}` has failed: {why}", "See above.")


def _measured(
    host: str, name: str | None, command: list[str], timeout: float | None, console: Console
) -> tuple[Curve, str | None]:
    engine = connect()
    found = live.find_host(engine, host, name)
    lab = live.find(engine, found.lab_name)
    console.print(words.heading(), markup=False)

    def told(point: Point) -> None:
        console.print(words.row(point), markup=False)

    return measure(engine, lab, found, command, told, timeout)


def _show(curves: list[Curve], files: list[Path], as_json: bool, console: Console) -> None:
    """Write curves to files and print them; the picture where it is not in a file."""
    written = curve_files.write_all(curves, files)
    if as_json:
        print(json.dumps([words.as_json(one) for one in curves]))
    else:
        if not files:
            out = figure_console()
            print(terminal.draw(curves, out.width, out.is_terminal))
        for one in curves:
            print(words.summary(one))
    for line in written:
        console.print(line, markup=False)
