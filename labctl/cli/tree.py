"""`tree`: a host's processes with sockets, who forked whom, and who is at the other end."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text

from labctl.cli.common import JsonOption, NameOption, figure_console, print_json
from labctl.cli.hosts import HostArgument
from labctl.cli.watching import IntervalOption, Looks, Watch, WatchOption, look
from labctl.engine import live
from labctl.engine.client import connect
from labctl.engine.live import LiveHost
from labctl.observe.sockets.model import Snapshot
from labctl.observe.sockets.tree import grown
from labctl.show.sockets import tree as show
from labctl.show.sockets.text import headline


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("tree")(tree)


def tree(
    host: HostArgument,
    process: Annotated[
        str | None,
        typer.Option(
            "--process",
            "-p",
            metavar="PID|NAME",
            help="Only this process and what it has forked: its number, its program or script.",
        ),
    ] = None,
    watch: WatchOption = False,
    interval: IntervalOption = 0.5,
    timeout: Annotated[
        float | None,
        typer.Option(min=0.1, help="Seconds after which --watch ends.", show_default=False),
    ] = None,
    name: NameOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show main processes above their subordinates, each with its sockets, as figure 6-29 does.

    Where the host at the other end of a connection is one of the lab's, its name stands there.
    """
    how = Watch(watch, interval, timeout)
    engine = connect()
    found = live.find_host(engine, host, name)
    printer = _Printer(process, _names(live.find(engine, found.lab_name).hosts), as_json)
    look(engine, found, process, how, printer.once, printer.follow)


def _names(hosts: Iterable[LiveHost]) -> dict[str, str]:
    """Return the names of a lab's hosts by their addresses."""
    return {address: host.name for host in hosts for address in host.addresses.values() if address}


class _Printer:
    """Prints the trees of snapshots."""

    def __init__(self, process: str | None, names: dict[str, str], as_json: bool) -> None:
        self._process = process
        self._names = names
        self._as_json = as_json
        self._console = figure_console()

    def once(self, snapshot: Snapshot) -> None:
        if self._as_json:
            print_json(self._object(snapshot))
            return
        self._print(self._lines(snapshot))

    def follow(self, looks: Looks) -> None:
        """Print each change: in place on a terminal, below the others elsewhere, or as JSON."""
        snapshots = (snapshot for snapshot, changed in looks if changed)
        if self._as_json:
            for snapshot in snapshots:
                print(json.dumps(self._object(snapshot), ensure_ascii=False), flush=True)
        elif self._console.is_terminal:
            with Live(console=self._console, auto_refresh=False) as display:
                for snapshot in snapshots:
                    lines = self._lines(snapshot)
                    display.update(Group(headline(snapshot), *lines), refresh=True)
        else:
            for snapshot in snapshots:
                self._print([headline(snapshot), *self._lines(snapshot), Text()])

    def _print(self, lines: Iterable[Text]) -> None:
        for line in lines:
            self._console.print(line, soft_wrap=True)
        self._console.file.flush()

    def _lines(self, snapshot: Snapshot) -> list[Text]:
        trees = grown(snapshot, self._process)
        notes = [Text(f"note: {note}", "yellow") for note in snapshot.notes]
        return [*show.draw(snapshot, trees, self._names, self._console.width), *notes]

    def _object(self, snapshot: Snapshot) -> dict[str, Any]:
        return show.as_json(snapshot, grown(snapshot, self._process), self._names)
