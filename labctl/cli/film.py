"""`sockets --steps`: plays, films, and shows what was filmed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import typer

from labctl.cli.common import PLAIN_WIDTH, figure_console, told_console
from labctl.cli.files import require_suffixes, show_and_write, write_whole
from labctl.cli.playing import reporter
from labctl.engine.client import connect
from labctl.errors import LabctlError
from labctl.observe.stepper import FilmWishes
from labctl.observe.steps.model import Film
from labctl.play.stepping import Filmed
from labctl.play.stepping import film as filmed_of
from labctl.play.tracing import Asked
from labctl.show import scenario as showing
from labctl.show.film import asjson, html, text


def _html(film: Film) -> Iterator[bytes]:
    yield html.draw(film).encode()


def _text(film: Film) -> Iterator[bytes]:
    return (f"{line.plain.rstrip()}\n".encode() for line in text.draw(film, PLAIN_WIDTH))


def _lines(film: Film) -> Iterator[str]:
    return (json.dumps(line, ensure_ascii=False) for line in asjson.as_json(film))


def _jsonl(film: Film) -> Iterator[bytes]:
    return (f"{line}\n".encode() for line in _lines(film))


_FORMS: dict[str, Callable[[Film], Iterable[bytes]]] = {
    ".html": _html,
    ".txt": _text,
    ".jsonl": _jsonl,
}
"""What is written to a file, by its suffix."""


def film(asked: Asked, wishes: FilmWishes, files: Sequence[Path], as_json: bool) -> None:
    """Play what is asked for, show the film, or write it to files, and end as it went.

    Raises what `labctl.play.stepping.film` and `tell` raise; UsageError, before anything is played,
    where a file cannot be written.
    """
    require_suffixes(files, _FORMS, "a film is not written to files ending in {suffix}")
    console = told_console()

    told = reporter(console)
    tell(filmed_of(connect(), asked, wishes, told), files, as_json, told.say)


def tell(filmed: Filmed, files: Sequence[Path], as_json: bool, say: Callable[[str], None]) -> None:
    """Show a film and write it to files, whatever becomes of either, and end as it went.

    Raises MachineError where a file could not be written, and the film, as it was wanted
    somewhere, is shown then; Abort after a Ctrl-C, Exit where a step failed.
    """

    def wrote(line: str) -> None:
        say(f"{line}, {len(filmed.film.frames)} frames")

    def show() -> None:
        if as_json:
            for line in _lines(filmed.film):
                print(line)
        elif not files:
            _print(filmed.film)

    unwritten = show_and_write(show, files, lambda file: _write(filmed.film, file), wrote)
    if unwritten is not None and not as_json:
        _print(filmed.film)
    _end(filmed, say, unwritten, told=as_json or (bool(files) and unwritten is None))


def _write(film: Film, file: Path) -> int:
    return write_whole(file, _FORMS[file.suffix](film))


def _print(film: Film) -> None:
    console = figure_console()
    for line in text.draw(film, console.width):
        console.print(line, soft_wrap=True)


def _end(
    filmed: Filmed, say: Callable[[str], None], unwritten: LabctlError | None, told: bool
) -> None:
    """Tell what went wrong, notes where they are `told` nowhere else, and end so."""
    if told:
        for note in filmed.film.notes:
            say(f"note: {note}")
    failures = showing.failures(filmed.result) if filmed.result else ""
    if failures:
        say(f"\n{failures}")
    if unwritten is not None:
        raise unwritten
    if filmed.result is None:
        raise typer.Abort
    if not filmed.passed:
        raise typer.Exit(1)
