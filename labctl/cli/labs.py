"""`list`, `show`, `validate`, `new` and `schema`: what needs no engine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from labctl.cli.common import JsonOption, print_json
from labctl.errors import LabFileError, Problem, UsageError
from labctl.lab import discover
from labctl.lab import new as making
from labctl.lab import schema as publishing
from labctl.lab.lab import Lab
from labctl.lab.load import load
from labctl.lab.source import shown
from labctl.show import labs as showing

_WIDE = 200
"""Columns of a table that goes to a file or a pipe."""


def complete_lab(incomplete: str) -> list[str]:
    """Return the known labs that begin so, for the shell's completion."""
    return [name for name in discover.known(Path.cwd()) if name.startswith(incomplete)]


LabArgument = Annotated[
    str | None,
    typer.Argument(
        help="A lab's name, folder or file; without it ./compose.yaml.",
        autocompletion=complete_lab,
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("list")(list_labs)
    app.command("show")(show)
    app.command("validate")(validate)
    app.command("new")(new)
    app.command("schema")(schema)


def list_labs(as_json: JsonOption = False) -> None:
    """List the labs that can be brought up from here."""
    found = discover.labs(Path.cwd())
    if as_json:
        print_json(showing.list_json(found))
    elif found:
        _console().print(showing.list_table(found))
    else:
        print("no lab is known here; `labctl new NAME` makes one")


def show(lab: LabArgument = None, as_json: JsonOption = False) -> None:
    """Show a lab: what it is about, its hosts, networks and scenarios."""
    model = load(discover.find(lab, Path.cwd()))
    if as_json:
        print_json(showing.lab_json(model))
    else:
        _console().print(showing.lab_text(model))


def validate(
    labs: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names, folders or files; without one ./compose.yaml.",
            autocompletion=complete_lab,
            show_default=False,
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every known lab.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check lab files; print every problem with file, line and column."""
    files = [discover.find(name, Path.cwd()) for name in labs or ()]
    if everything:
        files += [path for path in discover.known(Path.cwd()).values() if path not in files]
        if not files:
            raise UsageError("no lab is known here", "`labctl new NAME` makes one")
    checked = [(file, _check(file)) for file in files or [discover.find(None, Path.cwd())]]
    if as_json:
        print_json([_result_json(file, result) for file, result in checked])
    else:
        for file, result in checked:
            _print_result(file, result)
    if any(not isinstance(result, Lab) for _, result in checked):
        raise typer.Exit(LabFileError.exit_code)


def _check(file: Path) -> Lab | list[Problem]:
    try:
        return load(file)
    except LabFileError as error:
        return error.problems


def _result_json(file: Path, result: Lab | list[Problem]) -> dict[str, Any]:
    problems = [] if isinstance(result, Lab) else result
    return {
        "file": str(file),
        "ok": isinstance(result, Lab),
        "problems": [
            {"line": p.line, "column": p.column, "message": p.message, "hint": p.hint}
            for p in problems
        ],
    }


def _print_result(file: Path, result: Lab | list[Problem]) -> None:
    if isinstance(result, Lab):
        hosts = sum(host.scale for host in result.hosts.values())
        print(
            f"{shown(file)}: ok ({_many(hosts, 'host')}, {_many(len(result.networks), 'network')}, "
            f"{_many(len(result.x.scenarios), 'scenario')})"
        )
        return
    for problem in result:
        print(problem)
        for line in problem.hint.splitlines():
            print(f"    {line}")


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def new(
    name: Annotated[str, typer.Argument(help="The new lab's name; its folder is made here.")],
    template: Annotated[
        str,
        typer.Option(help="What it starts from.", autocompletion=making.templates),
    ] = "tcp",
) -> None:
    """Make a new lab that works, to change into your own."""
    made = making.new(Path.cwd() / name, template)
    for path in made:
        print(shown(path))
    folder = os.path.relpath(made[0].parent)
    print(f"next: cd {folder} && labctl up && labctl run download")


def schema() -> None:
    """Print the JSON Schema of lab files, for editors."""
    print(publishing.text(), end="")


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDE)
