"""Writes messages that were taken apart to files, each in the form that its suffix names."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from labctl.cli.files import require_suffixes, write_whole
from labctl.observe.dissect import Message
from labctl.play.judged import Judged
from labctl.show.dissect import asjson, html, svg, text

_Draw = Callable[[str, Sequence[Message], Sequence[Message]], str]


def _text(_title: str, messages: Sequence[Message], chosen: Sequence[Message]) -> str:
    lines = [line.plain for line in text.table(messages)]
    for message in chosen:
        lines += ["", *(line.plain for line in text.draw(message, messages[0]))]
    return "\n".join(lines) + "\n"


def _svg(_title: str, messages: Sequence[Message], chosen: Sequence[Message]) -> str:
    return svg.draw(chosen, messages[0])


def _json(_title: str, messages: Sequence[Message], _chosen: Sequence[Message]) -> str:
    return json.dumps([asjson.as_object(one) for one in messages], indent=2) + "\n"


_FORMS: dict[str, _Draw] = {".txt": _text, ".svg": _svg, ".html": html.draw, ".json": _json}
_PACKETS = ".pcapng"


def require(files: Sequence[Path], played: bool) -> None:
    """Raise UsageError unless each file can be written and its suffix names a form."""
    known = [*_FORMS, *([_PACKETS] if played else [])]
    require_suffixes(files, known, "what is to be written to it is not known by its suffix")


def write(
    file: Path,
    title: str,
    messages: Sequence[Message],
    chosen: Sequence[Message],
    judged: Judged | None,
) -> int:
    """Write a file; return how many bytes that were. Raises MachineError where it cannot be."""
    if file.suffix == _PACKETS and judged is not None and judged.observation is not None:
        return write_whole(file, judged.observation.pcapng())
    return write_whole(file, [_FORMS[file.suffix](title, messages, chosen).encode()])
