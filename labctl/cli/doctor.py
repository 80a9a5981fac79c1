"""`doctor`: what this machine has and lacks, and what mends it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from labctl.cli.common import JsonOption, print_json
from labctl.engine.doctor import Check, State, examine, mend
from labctl.errors import MachineError
from labctl.show import doctor as showing


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("doctor")(doctor)


def doctor(
    fix: Annotated[
        bool, typer.Option("--fix", help="Apply the fixes that are safe, then check again.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check what labs need of this machine; exits with 3 when something has failed."""
    told = Console(stderr=True, highlight=False, markup=False)
    checks = _examine(told)
    if fix:
        applied = mend(checks, lambda line: told.print(line, soft_wrap=True))
        if applied:
            checks = _examine(told)
        else:
            told.print("nothing was left to fix that is safe to fix")
    if as_json:
        print_json(showing.as_json(checks))
    else:
        _show(checks)
    if any(check.state is State.FAILED for check in checks):
        raise typer.Exit(MachineError.exit_code)


def _examine(told: Console) -> list[Check]:
    with told.status("checking") as status:
        return examine(lambda check: status.update(f"checked: {check.name}"))


def _show(checks: list[Check]) -> None:
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(showing.table(checks))
        console.print(f"\n{showing.summary(checks)}")
    else:
        print("\n".join([*showing.lines(checks), "", showing.summary(checks)]))
