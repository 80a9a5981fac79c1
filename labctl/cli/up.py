"""`up`: brings a lab up."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from labctl.cli.common import JsonOption, print_json
from labctl.cli.labs import LabArgument
from labctl.engine.client import connect
from labctl.engine.shield import shielded
from labctl.engine.up import Reporter, Wishes
from labctl.engine.up import up as bring_up
from labctl.errors import UsageError
from labctl.lab.discover import find
from labctl.lab.load import load
from labctl.show import live as showing
from labctl.show.progress import HostProgress

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("up")(up)


def up(
    lab: LabArgument = None,
    name: Annotated[
        str | None,
        typer.Option("--name", "-n", help="Bring it up under this name, not the lab's own."),
    ] = None,
    scale: Annotated[
        list[str] | None,
        typer.Option(help="How many copies of a host: peer=20. Can be given again."),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(
            min=0.1,
            help="Seconds to wait until every host is ready, and as "
            "long at a stretch for one that others wait for (depends_on).",
        ),
    ] = 60.0,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave a lab that failed as it is, to look at it.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring a lab up; return when every host is ready."""
    if name is not None and not _NAME.fullmatch(name):
        raise UsageError(
            f"not a name for a lab: {name!r}",
            "Use small letters, digits, - and _, beginning with a letter or digit, 40 at most.",
        )
    wishes = Wishes(name, _scale(scale or []), timeout, keep)
    model = load(find(lab, Path.cwd()))
    engine = connect()
    console = Console(stderr=True, highlight=False)
    with ExitStack() as until_told:
        with HostProgress(console, f"lab {wishes.name or model.name}") as progress:
            reporter = Reporter(progress.host, progress.note, progress.hosts)
            result = bring_up(engine, model, wishes, reporter)
            # It is up: interrupted from here on it would be there with nobody told so.
            until_told.enter_context(shielded())
        if as_json:
            print_json(showing.as_json(result))
            return
        console.print(
            f"lab {result.name} is up: {len(result.hosts)} hosts on {len(result.networks)} "
            f"networks ready in {progress.seconds:.1f} s"
        )


def _scale(told: list[str]) -> dict[str, int]:
    scale = {}
    for item in told:
        host, equals, count = item.partition("=")
        if not (host and equals and re.fullmatch("[0-9]{1,4}", count) and int(count) <= 1000):
            raise UsageError(
                f"--scale {item}: not HOST=COUNT with a count from 0 to 1000",
                "Write it as --scale peer=20.",
            )
        scale[host] = int(count)
    return scale
