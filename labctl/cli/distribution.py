"""`run LAB --peers N --file F`: one file for many hosts, from a server and from peer to peer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from labctl.cli.common import output, print_json, told_console
from labctl.cli.files import require_suffixes, write_whole
from labctl.engine.client import Engine
from labctl.engine.up import Reporter
from labctl.errors import UsageError
from labctl.lab.lab import Lab
from labctl.play.distribution.experiment import distribute, rates
from labctl.play.distribution.files import Item, item
from labctl.play.distribution.model import Distribution, Run, Way
from labctl.play.distribution.stage import SWARM, staged
from labctl.play.fresh import fresh
from labctl.show.distribution import plot, tables
from labctl.show.distribution.asjson import as_json as as_object
from labctl.show.progress import HostProgress

MOST_PEERS = 128
POINTS = 3
"""N and its halves are measured where one N is given."""
DEFAULT_PEERS, DEFAULT_FILE = "4", "song"

FORMS: dict[str, Callable[[Distribution], bytes]] = {
    ".svg": lambda found: plot.draw(found, "svg"),
    ".png": lambda found: plot.draw(found, "png"),
    ".json": lambda found: (json.dumps(as_object(found)) + "\n").encode(),
}
"""What is written to a file, by its suffix."""


@dataclass(frozen=True)
class Asked:
    """What was typed: how many peers, which file, where to draw it; and what peers get with."""

    peers: str | None = None
    file: str | None = None
    files: Sequence[Path] = ()
    get: Sequence[str] = SWARM

    @property
    def anything(self) -> bool:
        """Whether an option was given that only an experiment has."""
        return bool(self.peers or self.file or self.files)


def counts(told: str) -> list[int]:
    """Return the Ns to measure: of `8` it and its halves, of `3,5` just these.

    Raises UsageError for anything else.
    """
    if not re.fullmatch(r"\d{1,4}(,\d{1,4})*,?", told):
        raise UsageError(f"--peers {told}: not a number", "Write --peers 8, or --peers 2,4,8.")
    listed = [int(one) for one in told.split(",") if one]
    if "," not in told:
        listed = [listed[0] >> shift for shift in range(POINTS)]
        listed = [n for n in listed if n] or [0]
    if not all(1 <= n <= MOST_PEERS for n in listed):
        raise UsageError(f"--peers {told}: not 1 to {MOST_PEERS}", "Write --peers 8.")
    return sorted(set(listed))


def require_forms(files: Sequence[Path]) -> None:
    """Raise UsageError unless each file can be written and its suffix names a form."""
    require_suffixes(files, FORMS)


def run(engine: Callable[[], Engine], model: Lab, asked: Asked, as_json: bool) -> None:
    """Measure on a fresh copy of the lab, show it, write it to files.

    Raises UsageError for what cannot be measured, CheckFailed where a host does not get the
    file; ends with 1 where something is not as it must be.
    """
    wanted = counts(asked.peers or DEFAULT_PEERS)
    what = item(asked.file or DEFAULT_FILE)
    require_forms(asked.files)
    if model.x.experiment != "distribution":
        raise UsageError(
            f"lab {model.name} has no experiment, for which --peers, --file and --output are",
            "`labctl run distribution --peers 4 --file song` is one.",
        )
    console = told_console()
    found = _measured(engine(), model, wanted, what, asked.get, console)
    show(found, as_json)
    for file in asked.files:
        size = write_whole(file, [FORMS[file.suffix](found)])
        console.print(f"{file}: {size:,} bytes", markup=False)
    if not found.right:
        for line in tables.wrong(found):
            console.print(f"wrong: {line}", markup=False)
        raise typer.Exit(1)


def _measured(
    engine: Engine, model: Lab, wanted: list[int], what: Item, get: Sequence[str], console: Console
) -> Distribution:
    progress = HostProgress(console, f"lab {model.name}")
    reporter = Reporter(progress.host, progress.note, progress.hosts)
    scale, patience = {"peer": max(wanted)}, 60.0 + 5 * max(wanted)
    runs: list[Run] = []
    with ExitStack() as stack:
        with progress:
            lab = stack.enter_context(fresh(engine, model, reporter, scale, patience))
            stage = stack.enter_context(staged(engine, lab, what, get, progress.note))
        console.print(f"putting {what.name}, {what.size:,} bytes, on the server and the seed")
        stage.give_out()
        links = rates(stage)
        for n in wanted:
            for way in Way:
                runs.append(distribute(stage, way, n, links))
                console.print(tables.line(runs[-1]), markup=False)
    return Distribution(model.name, what.name, what.size, links, tuple(runs))


def show(found: Distribution, as_json: bool) -> None:
    """Print it, as tables or as JSON."""
    if as_json:
        print_json(as_object(found))
        return
    console = output()
    console.print(f"\n{tables.title(found)}\n", markup=False)
    console.print(tables.times(found))
    most = max(run.n for run in found.runs)
    largest = [run for run in found.runs if run.n == most]
    console.print(f"\nN = {most}, bytes as the kernels of the hosts counted them:\n")
    console.print(tables.hosts(largest))
    for run in largest:
        matrix = tables.matrix(run)
        if matrix is not None:
            console.print(f"\n{run.way.value}: who sent how much to whom\n")
            console.print(matrix)
