"""Tells what came of `verify`: a table or JSON, a report, and how the command ends."""

from __future__ import annotations

from pathlib import Path

import typer

from labctl.cli.common import output, print_json, told_console
from labctl.cli.files import show_and_write, write_whole
from labctl.play.verify import Verified, lacking
from labctl.show import verify as showing


def tell(verified: Verified, junit: Path | None, as_json: bool) -> None:
    """Print the outcome of each lab and write the report, whatever becomes of either.

    Raises MachineError where the report cannot be written, UsageError where a lab has no tests,
    CheckFailed where pytest failed, Exit where a test did.
    """
    console = told_console()

    def show() -> None:
        if as_json:
            print_json([showing.as_json(outcome) for outcome in verified.outcomes])
        else:
            output().print(showing.table(verified.outcomes))

    unwritten = show_and_write(
        show,
        [] if junit is None else [junit],
        lambda file: write_whole(file, [verified.xml.encode()]),
        lambda line: console.print(line, markup=False),
    )
    error = unwritten or lacking(verified.outcomes) or verified.wrong
    if error is not None:
        raise error
    if any(outcome.failed for outcome in verified.outcomes):
        raise typer.Exit(1)
