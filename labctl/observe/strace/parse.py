"""Makes events of what strace(1) has written, called with `options`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from labctl.observe.strace.reader import Reader
from labctl.sequence.events import Call, Notice, ProcessEvent


@dataclass(frozen=True, slots=True)
class Parsed:
    """Events in the order of time; calls by `start`."""

    calls: tuple[Call, ...]
    processes: tuple[ProcessEvent, ...]
    notices: tuple[Notice, ...]


def parse(lines: Iterable[bytes], host: str, threads: Mapping[int, int]) -> Parsed:
    """Return the events of one host that strace has written, a line each, in its order.

    `threads` has the process of each thread that was there when strace was attached; those
    made later are known from the calls that made them, and a thread of which neither tells is
    taken for a process. A call that was still going on at the end has no `end`. Nothing raises:
    what cannot be read is counted in a notice.
    """
    reader = Reader(threads)
    for line in lines:
        reader.take(line.rstrip(b"\r\n").decode("latin-1"))
    story = reader.finish()
    return Parsed(story.calls(host), story.processes(host), reader.notices.all(host))
