"""`sockets --steps`: plays, films, and shows what was filmed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import typer

from labctl.cli.common import PLAIN_WIDTH, figure_console, told_console
from labctl.cli.files import require_suffixes, write_whole
from labctl.cli.playing import reporter
from labctl.engine.client import connect
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

    Raises what `labctl.play.stepping.film` raises; UsageError, before anything is played, where
    a file cannot be written; Abort after a Ctrl-C, Exit where a step failed.
    """
    require_suffixes(files, _FORMS, "a film is not written to files ending in {suffix}")
    console = told_console()

    told = reporter(console)
    say = told.say
    filmed = filmed_of(connect(), asked, wishes, told)
    for file in files:
        size = write_whole(file, _FORMS[file.suffix](filmed.film))
        say(f"{file}: {len(filmed.film.frames)} frames, {size:,} bytes")
    if as_json:
        for line in _lines(filmed.film):
            print(line)
    elif not files:
        _print(filmed.film)
    _end(filmed, say, told=bool(files) or as_json)


def _print(film: Film) -> None:
    console = figure_console()
    for line in text.draw(film, console.width):
        console.print(line, soft_wrap=True)


def _end(filmed: Filmed, say: Callable[[str], None], told: bool) -> None:
    """Tell what went wrong, notes where they are `told` nowhere else, and end so."""
    if told:
        for note in filmed.film.notes:
            say(f"note: {note}")
    if filmed.result is None:
        raise typer.Abort
    failures = showing.failures(filmed.result)
    if failures:
        say(f"\n{failures}")
    if not filmed.passed:
        raise typer.Exit(1)
