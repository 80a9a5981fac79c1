"""The crossings of processes, as tables for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from labctl.sequence.crossings import Crossings
from labctl.show.figure.units import plain
from labctl.show.syscalls.words import command, spent

LEFT = ("HOST", "PROGRAM", "CALL", "ERRNO")


def processes(found: Iterable[Crossings]) -> Table:
    """Return a table with a process a row."""
    made = _table(
        *("HOST", "PID", "PROGRAM", "CALLS", "FAILED", "INSIDE", "WORKING", "WAITING"),
        *("OUTSIDE", "USER CPU", "CALLS/S"),
    )
    for one in found:
        made.add_row(
            plain(one.host),
            str(one.pid),
            Text(command(one), overflow="ellipsis"),
            f"{one.calls:,}",
            f"{one.errors.total():,}",
            spent(one.inside),
            spent(one.working),
            spent(one.waiting),
            spent(one.outside),
            spent(one.user),
            f"{one.per_second:,.0f}",
        )
    return made


def kinds(process: Crossings) -> Table:
    """Return a table with the calls of one name a row."""
    made = _table("CALL", "CALLS", "NOT RETURNED", "INSIDE", "WORKING", "WAITING", "BYTES", "ERRNO")
    for kind in process.kinds:
        errors = ", ".join(f"{count:,} {errno}" for errno, count in sorted(kind.errors.items()))
        made.add_row(
            plain(kind.name),
            f"{kind.calls:,}",
            f"{kind.unreturned:,}" if kind.unreturned else "",
            spent(kind.inside),
            spent(kind.working),
            spent(kind.waiting),
            f"{kind.moved:,}" if kind.moved else "",
            errors,
        )
    return made


def _table(*columns: str) -> Table:
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        whole = column != "PROGRAM"
        made.add_column(
            column,
            justify="left" if column in LEFT else "right",
            no_wrap=True,
            min_width=None if whole else 12,
            max_width=None if whole else 48,
        )
    return made
