"""Writes queues over time to files, each in the form that its suffix names."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from labctl.cli.common import PLAIN_WIDTH
from labctl.cli.files import require_suffixes, write_each, write_whole
from labctl.errors import LabctlError
from labctl.observe.queues.seen import Queues
from labctl.show.queues import page, plot, summary, terminal
from labctl.show.queues.asjson import as_json
from labctl.show.queues.picture import picture


def _svg(found: Queues) -> bytes:
    return plot.draw(picture(found), "svg", list(summary.lines(found)))


def _png(found: Queues) -> bytes:
    return plot.draw(picture(found), "png", list(summary.lines(found)))


def _html(found: Queues) -> bytes:
    image = plot.draw(picture(found), "svg")
    return page.draw(found.title, image, list(summary.lines(found))).encode()


def _text(found: Queues) -> bytes:
    drawn = terminal.draw(picture(found), PLAIN_WIDTH, color=False)
    return ("\n".join([drawn, *summary.lines(found)]) + "\n").encode()


def _json(found: Queues) -> bytes:
    return (json.dumps(as_json(found)) + "\n").encode()


FORMS: dict[str, Callable[[Queues], bytes]] = {
    ".svg": _svg,
    ".png": _png,
    ".html": _html,
    ".txt": _text,
    ".json": _json,
}
"""What is written to a file, by its suffix."""


def require_files(files: Sequence[Path]) -> None:
    """Raise UsageError unless each file can be written and its suffix names a form."""
    require_suffixes(files, FORMS)


def write_all(
    found: Queues, files: Sequence[Path], told: Callable[[str], None]
) -> LabctlError | None:
    """Write what was seen to each file, and tell a line of each that was.

    One that cannot be written keeps no other from it; what was wrong is returned.
    """
    return write_each(files, lambda file: write_whole(file, [FORMS[file.suffix](found)]), told)
