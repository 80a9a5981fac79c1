"""Tells what came of a trace: on the terminal, in files, and how the command ends."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import typer
from rich.console import Console

from labctl.cli import pictures
from labctl.errors import LabctlError, UsageError
from labctl.play.judged import Judged
from labctl.sequence.connects import connects as made
from labctl.show import connects
from labctl.show import trace as showing
from labctl.show.figure.model import Options

NARROWEST_TABLE = 120
"""Elsewhere than on a terminal a table is at least so many columns wide."""


@dataclass(frozen=True)
class Out:
    """Where it goes: to files, to standard output, and, what is no figure, to `console`.

    With `connects` the table of connects takes the place of the figure, and of the events.
    """

    files: Sequence[Path]
    as_json: bool
    console: Console
    connects: bool = False


def tell(judged: Judged, options: Options, out: Out, played: bool) -> None:
    """Show what was seen, write it to files, and end as it went.

    What was `played` would be lost by an error: as much as can be is shown and written first.
    Raises UsageError where something is to be drawn that was not seen, MachineError where a
    file could not be written, Abort where a Ctrl-C ended the play, Exit where it went wrong.
    """
    undrawn = _unknown(judged, options)
    if undrawn is not None and not played:
        raise undrawn
    if undrawn is not None:
        options = replace(options, connections=None, hosts=None)
    wrong = _show_and_write(judged, options, out) or undrawn
    if wrong is not None:
        raise wrong
    if judged.interrupted:
        raise typer.Abort
    if not judged.passed:
        raise typer.Exit(1)


def _show_and_write(judged: Judged, options: Options, out: Out) -> LabctlError | None:
    """Return what could not be written; the figure is shown then, as it was wanted somewhere."""
    written: list[str] = []
    unwritten = pictures.write_all(judged, options, out.files, written.append)
    if out.as_json:
        for line in _connects(judged) if out.connects else pictures.events(judged):
            print(line)
        showing.show(judged, options, out.console, figure=False)
    else:
        console = Console(highlight=False)
        if out.connects:
            least = 0 if console.is_terminal else NARROWEST_TABLE
            wide = Console(highlight=False, width=max(console.width, least))
            wide.print(connects.table(made(judged.timeline)))
            console.print()
        figure = not out.connects and (not out.files or unwritten is not None)
        showing.show(judged, options, console, figure)
    for line in written:
        out.console.print(line, markup=False)
    return unwritten


def _connects(judged: Judged) -> Iterator[str]:
    return (json.dumps(connects.as_json(one)) for one in made(judged.timeline))


def _unknown(judged: Judged, options: Options) -> UsageError | None:
    """Return what is wrong where a host or a connection is wanted that was not seen."""
    hosts = [host.name for host in judged.timeline.recording.hosts]
    ids = [str(connection.id) for connection in judged.timeline.connections]
    wanted = [("host", one, hosts) for one in options.hosts or ()]
    wanted += [("connection", str(one), ids) for one in options.connections or ()]
    for what, one, known in wanted:
        if one not in known:
            names = ", ".join(known[:20]) or "none"
            message = f"there is no {what} {one} in what was seen"
            return UsageError(message, f"There are: {names}.")
    return None
