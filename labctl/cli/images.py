"""`labctl images`: what the labs run on."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from labctl.cli.common import JsonOption, print_json
from labctl.engine.client import connect
from labctl.engine.images import Stored, ensure, load, save, stored
from labctl.engine.images.inputs import NAMES

_images = typer.Typer(help="List, build, save and load the images that labs run on.")


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(_images, name="images")


@_images.callback(invoke_without_command=True)
def default(context: typer.Context, as_json: JsonOption = False) -> None:
    """List, build, save and load the images that labs run on."""
    if context.invoked_subcommand is None:
        list_images(as_json)


@_images.command("list")
def list_images(as_json: JsonOption = False) -> None:
    """Show the images on the engine that labctl made (the default)."""
    found = stored(connect())
    if as_json:
        print_json([asdict(image) for image in found])
    elif found:
        Console().print(_table(found))
    else:
        print("No images yet: `labctl images build` makes them.")


@_images.command()
def build(
    force: Annotated[
        bool, typer.Option("--force", help="Build all again, with the newest packages.")
    ] = False,
) -> None:
    """Build the images that are missing or whose sources changed."""
    tags = ensure(connect(), NAMES, print, force=force)
    for name, tag in tags.items():
        print(f"{name}: {tag} is ready")


@_images.command("save")
def save_images(file: Annotated[Path, typer.Argument(help="The file to write.")]) -> None:
    """Write the images to a file, for a machine that cannot build them."""
    for tag in save(connect(), file, print):
        print(f"saved {tag}")


@_images.command("load")
def load_images(file: Annotated[Path, typer.Argument(help="A file that save wrote.")]) -> None:
    """Read images from a file that `labctl images save` wrote."""
    for tag in load(connect(), file):
        print(f"loaded {tag}")


def _table(found: list[Stored]) -> Table:
    table = Table("image", "tags", "size", "in use by this labctl", box=None)
    table.columns[2].justify = "right"
    for image in found:
        tags = "\n".join(image.tags) or image.id
        size = f"{image.size / 1e6:.0f} MB"
        table.add_row(image.name, tags, size, "yes" if image.current else "no")
    return table
