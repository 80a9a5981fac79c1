"""`down` and `ps`: what is up, and taking it down."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from labctl.cli.common import JsonOption, NameOption, output, print_json
from labctl.cli.complete import complete_name
from labctl.engine import down as taking_down
from labctl.engine import live
from labctl.engine.client import connect
from labctl.show import live as showing


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("ps")(ps)
    app.command("down")(down)


def down(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names that labs are up under; without one, the only lab up.",
            autocompletion=complete_name,
        ),
    ] = None,
    name: NameOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Every lab.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Take labs down: their hosts, networks and volumes; the lab's files are not needed."""
    engine = connect()
    if everything:
        wanted = [lab.name for lab in live.labs(engine)]
    elif names:
        wanted = [live.find(engine, one).name for one in names]
    else:
        wanted = [live.find(engine, name).name]
    console = Console(stderr=True, highlight=False)
    result = {}
    for one in wanted:
        with console.status(f"taking down {one}"):
            removed = taking_down.down(engine, one)
        result[one] = vars(removed)
        if not as_json:
            console.print(
                f"lab {one} is down: {removed.containers} hosts and {removed.networks} networks "
                "removed"
            )
    if as_json:
        print_json(result)
    elif not wanted:
        console.print("no lab is up")


def ps(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Only labs up under these.", autocompletion=complete_name),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the labs that are up, with their hosts and addresses."""
    engine = connect()
    found = [live.find(engine, name) for name in names] if names else live.labs(engine)
    if as_json:
        print_json([showing.as_json(lab) for lab in found])
    elif found:
        output().print(showing.table(found))
    else:
        print("no lab is up")
