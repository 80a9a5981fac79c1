"""Draws a film as one HTML page to go through, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labctl.observe.sockets.model import KernelSocket, Process, Snapshot
from labctl.observe.steps import words as words_of
from labctl.observe.steps.model import Film, Frame
from labctl.show.film import captions
from labctl.show.pages import page
from labctl.show.sockets import unheld, words
from labctl.show.sockets.canvas import clean
from labctl.show.sockets.marks import Marks


def draw(film: Film) -> str:
    """Return a film as an HTML document; it needs no network."""
    start = film.frames[0].time if film.frames else 0
    data = {
        "hosts": [clean(host) for host in film.hosts],
        "frames": [_frame(frame, start) for frame in film.frames],
        "notes": [clean(note) for note in film.notes],
    }
    return page("labctl.show.film", clean(film.title) or "Film", data)


def _frame(frame: Frame, start: int) -> dict[str, Any]:
    marks = Marks.of(frame.changes)
    shown = frame.snapshot
    return {
        "host": clean(frame.host),
        "who": captions.who(frame),
        "pid": frame.pid,
        "event": frame.event,
        "at": f"{(frame.time - start) / 1e9:.3f} s",
        "text": captions.heading(frame),
        "short": _short(frame),
        "said": captions.changed(frame),
        "tables": [_table(one, shown, marks) for one in shown.processes],
        "sockets": [_socket(one, shown, marks) for one in _in_order(shown)],
        "free": [line.plain for line in unheld.lines(shown.unheld, marks)[1:]],
        "notes": [clean(note) for note in shown.notes],
    }


def _short(frame: Frame) -> str:
    """Return a frame in a word or two, for a list."""
    if frame.call is None:
        return "ends"
    times = f" × {frame.times:,}" if frame.times > 1 else ""
    if frame.event != "call":
        return frame.call.verb if frame.event == "exec" else f"{frame.call.verb} waits"
    how = " fails" if words_of.error(frame.call) else " interrupted" if frame.failed else ""
    return f"{frame.call.verb}{times}{how}"


def _in_order(shown: Snapshot) -> Sequence[KernelSocket]:
    """Return the sockets that are held, in the order in which tables name them."""
    return [shown.held[inode] for inode in shown.holders if inode in shown.held]


def _table(process: Process, shown: Snapshot, marks: Marks) -> dict[str, Any]:
    rows = [
        {
            "fd": one.fd,
            "text": words.entry(one),
            "changed": marks.descriptor(process.pid, one.fd),
            "socket": one.inode if one.inode in shown.held else None,
        }
        for one in process.descriptors
    ]
    return {
        "title": words.process_title(process),
        "lines": words.process_lines(process),
        "new": marks.process(process.pid),
        "rows": rows,
    }


def _socket(one: KernelSocket, shown: Snapshot, marks: Marks) -> dict[str, Any]:
    def fields(told: Sequence[words.Field]) -> list[list[Any]]:
        return [[f.label, f.value, marks.field(one.key, f.of)] for f in told]

    return {
        "key": one.inode,
        "title": words.title(one),
        "new": marks.socket(one.key),
        "structure": fields(words.structure(one)),
        "rest": fields(list(words.rest(one, shown))),
    }
