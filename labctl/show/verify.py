"""The outcome of `verify`, as a table and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from labctl.play.junit import Outcome


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return one lab's outcome as `verify --json` shows it; times are in seconds.

    There is an `error` only where there is one.
    """
    told = {key: value for key, value in vars(outcome).items() if key != "error" or value}
    return {**told, "seconds": round(outcome.seconds, 3)}


def table(outcomes: Sequence[Outcome]) -> Table:
    """Return a table with a lab a row; times are in seconds."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("LAB", "TESTS", "PASSED", "FAILED", "SKIPPED", "SECONDS", "STATE"):
        made.add_column(column, justify="left" if column in ("LAB", "STATE") else "right")
    for one in outcomes:
        state = "[bold red]failed" if one.failed else "[green]passed" if one.tests else "none ran"
        state = "[bold red]no tests" if one.error else state
        counts = (one.tests, one.passed, one.failed, one.skipped)
        made.add_row(escape(one.lab), *map(str, counts), f"{one.seconds:.1f}", state)
    return made
