"""What several commands share: the option that names a live lab, and JSON on standard output."""

from __future__ import annotations

import json
import os
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperCommand

from labctl.cli.complete import complete_name

NameOption = Annotated[
    str | None,
    typer.Option(
        "--name",
        "-n",
        autocompletion=complete_name,
        help="The name the lab is up under; without it, the one that LABCTL_NAME "
        "has, or the only lab that is up.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class WithCommand(TyperCommand):
    """A command `[WHAT] [OPTIONS] [-- COMMAND...]` where all after `--` belongs to COMMAND."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Set the words after `--` aside."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[_COMMAND] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)


_COMMAND = "labctl.command"


def command_of(context: typer.Context) -> list[str] | None:
    """Return the words after `--`, None where there was none."""
    found: list[str] | None = context.meta.get(_COMMAND)
    return found


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def output() -> Console:
    """Return where tables go: as wide as the terminal, and never folded where there is none."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=1000)


def figure_console() -> Console:
    """Return where a figure goes: as wide as the terminal; elsewhere as COLUMNS says."""
    console = Console(highlight=False)
    known = console.is_terminal or "COLUMNS" in os.environ
    return console if known else Console(highlight=False, width=PLAIN_WIDTH)


def told_console() -> Console:
    """Return where it is told how things go: standard error, in lines that are never folded."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


PLAIN_WIDTH = 100
"""Cells that a figure has where nothing says how many."""
