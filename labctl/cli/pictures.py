"""Writes what was seen to files, each in the form that its suffix names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from labctl.cli.files import require_suffixes, write_each, write_whole
from labctl.errors import LabctlError, UsageError
from labctl.play.judged import Judged
from labctl.sequence import jsonl
from labctl.show.figure import html, mermaid, svg, text
from labctl.show.figure.model import Options
from labctl.show.preferred import preferring

_Draw = Callable[[Judged, Options], Iterable[bytes]]
_PLAIN_WIDTH = 120
_PACKETS = ".pcapng"


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
        raise _no_packets()
    return judged.observation.pcapng()


def _no_packets() -> UsageError:
    return UsageError(
        "the packets themselves are not in a file of events",
        f"Write the {_PACKETS} when the scenario is played.",
    )


FORMS: dict[str, _Draw] = {
    ".svg": _svg,
    ".html": _html,
    ".mmd": _mermaid,
    ".txt": _text,
    ".jsonl": _jsonl,
    _PACKETS: _pcapng,
}
"""What is written to a file, by its suffix."""


def require_forms(files: Sequence[Path], played: bool = True) -> None:
    """Raise UsageError unless each file can be written and its suffix names a form.

    Where nothing is played there are no packets to be written.
    """
    if not played and any(file.suffix == _PACKETS for file in files):
        raise _no_packets()
    require_suffixes(files, FORMS)


def write_all(
    judged: Judged, options: Options, files: Sequence[Path], told: Callable[[str], None]
) -> LabctlError | None:
    """Write what was seen to each file, and tell a line of each that was.

    One that cannot be written keeps no other from it; what was wrong is returned.
    """
    return write_each(files, lambda file: write(judged, options, file), told)


def write(judged: Judged, options: Options, file: Path) -> int:
    """Write what was seen to a file; return how many bytes that were.

    Raises MachineError where the file cannot be written; nothing half-written is left then.
    """
    return write_whole(file, FORMS[file.suffix](judged, preferring(judged, options)))
