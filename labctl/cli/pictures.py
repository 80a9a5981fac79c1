"""Writes what was seen to files, each in the form that its suffix names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from labctl.errors import MachineError, UsageError
from labctl.play.judged import Judged
from labctl.sequence import jsonl
from labctl.show.figure import html, mermaid, svg, text
from labctl.show.figure.model import Options

_Draw = Callable[[Judged, Options], Iterable[bytes]]
_PLAIN_WIDTH = 120


def _svg(judged: Judged, options: Options) -> Iterator[bytes]:
    yield svg.draw(judged.timeline, options).encode()


def _html(judged: Judged, options: Options) -> Iterator[bytes]:
    told = None if judged.verdict is None else str(judged.verdict)
    page = html.draw(judged.timeline, options, diagnoses=judged.diagnoses, verdict_text=told)
    yield page.encode()


def _mermaid(judged: Judged, options: Options) -> Iterator[bytes]:
    yield mermaid.draw(judged.timeline, options).encode()


def _text(judged: Judged, options: Options) -> Iterator[bytes]:
    yield text.draw(judged.timeline, options, width=_PLAIN_WIDTH).encode()


def events(judged: Judged) -> Iterator[str]:
    """Yield all that was seen, one JSON object a line."""
    seen = judged.timeline
    return jsonl.dump(seen.recording, seen.sockets, seen.connections)


def _jsonl(judged: Judged, _options: Options) -> Iterator[bytes]:
    return (f"{line}\n".encode() for line in events(judged))


def _pcapng(judged: Judged, _options: Options) -> Iterable[bytes]:
    if judged.observation is None:
        raise UsageError(
            "the packets themselves are not in a file of events",
            "Write the .pcapng when the scenario is played.",
        )
    return judged.observation.pcapng()


FORMS: dict[str, _Draw] = {
    ".svg": _svg,
    ".html": _html,
    ".mmd": _mermaid,
    ".txt": _text,
    ".jsonl": _jsonl,
    ".pcapng": _pcapng,
}
"""What is written to a file, by its suffix."""


def require_forms(files: Sequence[Path]) -> None:
    """Raise UsageError unless each file can be written and its suffix names a form."""
    for file in files:
        if file.suffix not in FORMS:
            raise UsageError(
                f"{file}: nothing is known of files ending in {file.suffix or 'no suffix'}",
                f"End it in one of {', '.join(FORMS)}.",
            )
        if not file.parent.is_dir():
            raise UsageError(f"{file}: there is no folder {file.parent}", "Make it first.")


def write(judged: Judged, options: Options, file: Path) -> int:
    """Write what was seen to a file; return how many bytes that were.

    Raises MachineError where the file cannot be written; nothing half-written is left then.
    """
    blocks = FORMS[file.suffix](judged, options)
    part = file.with_name(f".{file.name}.part")
    try:
        with part.open("wb") as target:
            size = sum(target.write(block) for block in blocks)
        part.replace(file)
    except OSError as error:
        raise MachineError(
            f"{file} cannot be written: {error.strerror}", "Name another with -o."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return size
