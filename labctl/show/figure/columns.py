"""The columns of a figure, one a host, and the lanes within them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from labctl.sequence.connection import Connection
from labctl.sequence.recording import Recording
from labctl.show.figure import order
from labctl.show.figure.lanes import Thread, names, programs
from labctl.show.figure.model import Arrow, Bar, Column, Lane, Mark, Options


class Columns:
    """Numbers the lanes of a figure from the left. `number` has the lane of each thread."""

    def __init__(
        self,
        recording: Recording,
        connections: Sequence[Connection],
        options: Options,
        threads: Iterable[Thread],
    ) -> None:
        self.recording = recording
        by_host: dict[str, dict[Thread, None]] = {}
        for thread in threads:
            by_host.setdefault(thread.host, {})[thread] = None
        left_to_right = order.columns(by_host, recording, connections, options.hosts)
        self.threads = [thread for host in left_to_right for thread in by_host[host]]
        self.number = {thread: number for number, thread in enumerate(self.threads)}
        self.parent: Mapping[Thread, Thread] = {}
        self.columns = tuple(self._column(host, by_host[host]) for host in left_to_right)

    def descend(self, parent: Mapping[Thread, Thread]) -> None:
        """Note which threads descend from which."""
        self.parent = parent

    def _column(self, host: str, threads: Iterable[Thread]) -> Column:
        observed = next((h for h in self.recording.hosts if h.name == host), None)
        kind = "outside" if observed is None else "router" if observed.router else "host"
        addresses = tuple(dict.fromkeys(observed.addresses.values())) if observed else ()
        return Column(host, addresses, kind, tuple(self.number[thread] for thread in threads))

    def lanes(
        self, bars: Iterable[Bar], arrows: Iterable[Arrow], marks: Iterable[Mark], last: int
    ) -> tuple[Lane, ...]:
        """Return the lanes, each with the rows from and to which it lasts."""
        rows: dict[int, list[int]] = {number: [] for number in self.number.values()}
        for bar in bars:
            rows[bar.lane] += (bar.first, bar.last)
        for arrow in arrows:
            rows[arrow.source].append(arrow.first)
            rows[arrow.target].append(arrow.last)
        ends: dict[int, tuple[int, str]] = {}
        for mark in marks:
            rows[mark.lane].append(mark.row)
            if mark.target is not None:
                rows[mark.target].append(mark.row)
            if mark.kind == "exit":
                ends[mark.lane] = mark.row, mark.text
        called, program = names(self.threads, self.parent), programs(self.recording)
        heads = {column.lanes[0] for column in self.columns}
        made = []
        for thread, number in self.number.items():
            own = rows[number] or [0]
            end, how = ends.get(number, (last, ""))
            above = self.parent.get(thread)
            made.append(
                Lane(
                    host=thread.host,
                    pid=thread.pid,
                    tid=thread.tid,
                    name=called[thread],
                    program=program.get((thread.host, thread.pid or 0), ""),
                    parent=None if above is None else self.number[above],
                    first=0 if number in heads or thread.tid is None else min(own),
                    last=max(end, *own),
                    end=how,
                )
            )
        return _numbered(made)


def _numbered(lanes: Sequence[Lane]) -> tuple[Lane, ...]:
    """Return lanes; those that are called the same as another of their host are to be numbered."""
    count = Counter((lane.host, lane.name, lane.program) for lane in lanes)
    return tuple(
        replace(lane, numbered=count[lane.host, lane.name, lane.program] > 1) for lane in lanes
    )
