"""Tells what came of `syscalls`: on the terminal, in files, and how the command ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from labctl.cli.files import write_each, write_whole
from labctl.play.crossing import Crossed
from labctl.sequence.crossings import findings
from labctl.show.figure.units import plain
from labctl.show.syscalls import html, svg, table, text, words
from labctl.show.syscalls.asjson import as_json

_PLAIN_WIDTH = 126
_NARROWEST = 80


@dataclass(frozen=True)
class Out:
    """Where it goes: to files, to standard output, and what is neither table nor picture to
    `console`. Of each process so many `kinds` of call are drawn; with `calls` a table has all."""

    files: Sequence[Path]
    as_json: bool
    kinds: int
    calls: bool
    console: Console


def _text(crossed: Crossed, kinds: int) -> str:
    return f"{text.draw(crossed, width=_PLAIN_WIDTH, kinds=kinds)}{text.legend()}\n"


FORMS: dict[str, Callable[[Crossed, int], str]] = {
    ".svg": svg.draw,
    ".html": html.draw,
    ".txt": _text,
}
"""What is written to a file, by its suffix."""


def tell(crossed: Crossed, out: Out) -> None:
    """Show and write what was seen; raise what was wrong: Abort after a Ctrl-C, Exit with 1
    where a step failed, MachineError where a file could not be written."""

    def write(file: Path) -> int:
        return write_whole(file, [FORMS[file.suffix](crossed, out.kinds).encode()])

    wrong = write_each(out.files, write, lambda line: out.console.print(line, markup=False))
    if out.as_json:
        print(json.dumps(as_json(crossed), indent=2, ensure_ascii=False))
    else:
        _show(crossed, out, picture=not out.files or wrong is not None)
    if wrong is not None:
        raise wrong
    if crossed.result is None:
        raise typer.Abort
    if not crossed.result.passed:
        raise typer.Exit(1)


def _show(crossed: Crossed, out: Out, picture: bool) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=1000)
    for notice in crossed.notices:
        out.console.print(Text(f"note: {plain(str(notice))}", style="yellow"))
    ascii_only = not console.encoding.lower().startswith("utf")
    if picture:
        width = max(console.width, _NARROWEST) if console.is_terminal else _PLAIN_WIDTH
        drawn = text.draw(crossed, width=width, kinds=out.kinds, ascii_only=ascii_only)
        legend = text.in_ascii(text.legend()) if ascii_only else text.legend()
        console.print(Text(drawn + legend), soft_wrap=True)
        console.print()
    console.print(table.processes(crossed.processes))
    for process in crossed.processes if out.calls else ():
        console.print()
        console.print(Text(words.title(process), style="bold"))
        console.print(table.kinds(process))
    told = findings(crossed.processes)
    if told:
        console.print()
    for one in told:
        line = Text(f"{words.finding(one)}. ")
        line.append(f"{one.advice} [{one.rule}]", style="dim")
        console.print(line, soft_wrap=True)
    console.print()
    console.print(Text(f"{crossed.tracer}: {words.TRACER[crossed.tracer]}.", style="dim"))
