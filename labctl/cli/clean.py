"""`clean`: removes what no live lab owns."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from labctl.cli.common import JsonOption, print_json
from labctl.engine import clean as cleaning
from labctl.engine.client import connect


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("clean")(clean)


def clean(
    everything: Annotated[
        bool, typer.Option("--all", help="Also take down labs that are up.")
    ] = False,
    images: Annotated[
        bool, typer.Option("--images", help="Also remove the images that labctl made.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove all that labctl ever made and no live lab owns."""
    engine = connect()
    console = Console(stderr=True, highlight=False)

    def note(line: str) -> None:
        if not as_json:
            console.print(line)

    cleaned = cleaning.clean(engine, everything, images, note)
    if as_json:
        print_json(
            {
                "labs": {name: vars(removed) for name, removed in cleaned.labs.items()},
                "traces": cleaned.traces,
                "observed": cleaned.observed,
                "images": cleaned.images,
                "left_alone": cleaned.left_alone,
            }
        )
    elif not (cleaned.labs or cleaned.traces or cleaned.observed or cleaned.images):
        console.print("nothing to clean")
