"""What became of each connect, as a table and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.table import Table
from rich.text import Text

from labctl.sequence.connects import Connect
from labctl.show.figure.units import plain

_NEVER = "never returned"


def table(connects: Iterable[Connect]) -> Table:
    """Return a table with a line for each connect, in the order given."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "CLIENT", "SERVER", "CONNECT", "TIME", "PACKETS"):
        made.add_column(
            column,
            justify="right" if column == "TIME" else "left",
            no_wrap=column not in ("PACKETS", "CONNECT"),
            overflow="fold",
        )
    for one in connects:
        cells = (
            "-" if one.connection is None else str(one.connection),
            one.host,
            _server(one),
            result(one),
            _took(one),
            packets(one),
        )
        made.add_row(*(Text(plain(cell)) for cell in cells))
    return made


def as_json(one: Connect) -> dict[str, Any]:
    """Return one connect; `packets` in the order in which each kind was first seen."""
    return {
        "connection": one.connection,
        "client": one.host,
        "pid": one.pid,
        "server": one.server,
        "target": None if one.target is None else str(one.target),
        "first": one.first,
        "errno": one.errno,
        "known": one.known,
        "start": one.start,
        "seconds": one.seconds,
        "packets": [{"what": what, "count": count} for what, count in one.packets],
    }


def result(one: Connect) -> str:
    """Return how it went out: `ok`, an errno, or both of what was told first and in the end."""
    if one.end is None:
        return _NEVER
    ended = one.errno or "ok"
    if not one.known:
        return f"{one.first}, not waited for"
    return ended if one.first == one.errno else f"{one.first}, then {ended}"


def packets(one: Connect) -> str:
    """Return `SYN, SYN again ×2`, or `none`."""
    listed = (f"{what} ×{count}" if count > 1 else what for what, count in one.packets)
    return ", ".join(listed) or "none"


def _server(one: Connect) -> str:
    target = "?" if one.target is None else str(one.target)
    return f"{one.server} {target}" if one.server else target


def _took(one: Connect) -> str:
    if one.seconds is None:
        return ""
    return f"{one.seconds:.2f} s" if one.seconds >= 1 else f"{one.seconds * 1000:.3f} ms"
