"""What several commands share: the option that names a live lab, and JSON on standard output."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console

from labctl.cli.complete import complete_name

NameOption = Annotated[
    str | None,
    typer.Option(
        "--name",
        "-n",
        envvar="LABCTL_NAME",
        autocompletion=complete_name,
        help="The name the lab is up under; without it, the only lab that is up.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def output() -> Console:
    """Return where tables go: as wide as the terminal, and never folded where there is none."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=1000)
