"""What `sockets` and `tree` share: a host looked at once, or again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import typer

from labctl.cli.common import told_console
from labctl.engine.client import Engine
from labctl.engine.live import LiveHost
from labctl.errors import UsageError
from labctl.observe.sockets.model import Snapshot
from labctl.observe.sockets.select import require_process
from labctl.play import sockets as looking

WatchOption = Annotated[
    bool, typer.Option("--watch", "-w", help="Go on, and show what changes, until Ctrl-C.")
]
IntervalOption = Annotated[
    float, typer.Option("--interval", min=0.02, help="Seconds between two looks of --watch.")
]

Looks = Iterator[tuple[Snapshot, bool]]
"""Snapshots, and whether each has changed."""


@dataclass(frozen=True)
class Watch:
    """Whether it is looked again and again, every `interval` seconds until `timeout` are over.

    Raises UsageError for a `timeout` without anything that it ends.
    """

    again: bool
    interval: float
    timeout: float | None

    def __post_init__(self) -> None:
        if self.timeout is not None and not self.again:
            raise UsageError("--timeout is the end of --watch", "Leave it out, or add --watch.")


def look(
    engine: Engine,
    host: LiveHost,
    process: str | None,
    watch: Watch,
    once: Callable[[Snapshot], None],
    follow: Callable[[Looks], None],
    shown: Callable[[Snapshot], Snapshot] = lambda snapshot: snapshot,
) -> None:
    """Give `once` what is there, or `follow` what comes until Ctrl-C or the host's end.

    `shown` takes out of a snapshot what is to be seen of it, and to count as a change. Raises
    UsageError where there is no such `process`.
    """
    errors = told_console()

    def note(line: str) -> None:
        errors.print(line, markup=False)

    with looking.looking(engine, host, note) as looker:
        first = looker.look()
        if process is not None:
            require_process(first, process)
        if not watch.again:
            once(shown(first))
            return
        try:
            follow(looking.changing(looker, watch.interval, watch.timeout, shown))
        except KeyboardInterrupt:
            return  # the ordinary end of watching
        except looking.HostEnded as end:
            note(end.message)
