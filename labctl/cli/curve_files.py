"""Writes curves to files, each in the form that its suffix names, and reads them again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from labctl.cli.common import PLAIN_WIDTH
from labctl.cli.files import require_suffixes, write_whole
from labctl.errors import CheckFailed, UsageError
from labctl.play.curve import Curve, parse
from labctl.show.curve import plot, terminal, words


def _text(curves: Sequence[Curve]) -> bytes:
    lines = [terminal.draw(curves, PLAIN_WIDTH, color=False)]
    lines += [words.summary(curve) for curve in curves]
    return ("\n".join(lines) + "\n").encode()


def _json(curves: Sequence[Curve]) -> bytes:
    return (json.dumps([words.as_json(curve) for curve in curves]) + "\n").encode()


FORMS: dict[str, Callable[[Sequence[Curve]], bytes]] = {
    ".svg": lambda curves: plot.draw(curves, "svg"),
    ".png": lambda curves: plot.draw(curves, "png"),
    ".txt": _text,
    ".json": _json,
}
"""What is written to a file, by its suffix."""


def require_files(files: Sequence[Path]) -> None:
    """Raise UsageError unless each file can be written and its suffix names a form."""
    require_suffixes(files, FORMS)


def write(curves: Sequence[Curve], file: Path) -> int:
    """Write the curves to a file; return how many bytes that were. Raises MachineError."""
    return write_whole(file, [FORMS[file.suffix](curves)])


def read(file: Path) -> list[Curve]:
    """Return the curves of a .json file. Raises UsageError where it has none."""
    try:
        told = json.loads(file.read_text())
        if not (told and isinstance(told, list)):
            raise ValueError("no list of curves")
        lines = [[json.dumps(part) for part in words.as_lines(one)] for one in told]
        return [parse(one, str(file)) for one in lines]
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", "Name another.") from error
    except (ValueError, KeyError, TypeError, CheckFailed) as error:
        raise UsageError(
            f"{file} has no curve", "Name a file that `labctl curve -o NAME.json` wrote."
        ) from error
