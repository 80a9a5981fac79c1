"""A film as JSON, one object a frame; the names are those of docs/sockets.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from labctl.observe.steps import words
from labctl.observe.steps.model import Film, Frame
from labctl.show.film import captions
from labctl.show.sockets import asjson


def as_json(film: Film) -> Iterator[dict[str, Any]]:
    """Yield each frame, and at the end, where there is something, what is to be told."""
    for number, frame in enumerate(film.frames, 1):
        yield {"frame": number, **_frame(frame)}
    if film.notes:
        yield {"notes": list(film.notes)}


def _frame(frame: Frame) -> dict[str, Any]:
    return {
        "event": frame.event,
        "pid": frame.pid,
        "tid": frame.tid,
        "text": captions.heading(frame),
        "call": _call(frame),
        "times": frame.times,
        "moved": frame.moved,
        "status": frame.status,
        "changes": [asdict(one) for one in frame.changes],
        **asjson.as_json(frame.snapshot),
    }


def _call(frame: Frame) -> dict[str, Any] | None:
    if frame.call is None:
        return None
    return {
        "name": frame.call.name,
        "arguments": [] if frame.event == "exec" else words.arguments(frame.call),
        "result": frame.call.result,
        "error": words.error(frame.call),
    }
