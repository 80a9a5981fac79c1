"""Puts what is drawn into lanes and rows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from labctl.sequence.events import Call, Segment
from labctl.sequence.timeline import Timeline
from labctl.sequence.verbs import UNCOUNTED, verb
from labctl.show.figure import rows
from labctl.show.figure.callwords import BROKEN_OFF
from labctl.show.figure.columns import Columns
from labctl.show.figure.content import Content
from labctl.show.figure.ends import Ends
from labctl.show.figure.lanes import Thread, parents, thread_of
from labctl.show.figure.marks import Marked, process_marks, state_marks
from labctl.show.figure.model import Arrow, Bar, Figure, Mark, Options
from labctl.show.figure.segmentwords import kind_of
from labctl.show.figure.units import MS, US

_WAITING = {"accept": 0, "connect": 0, "recv": 0, "poll": 0, "epoll": 0, "wait": 0}
_LONG = {**dict.fromkeys(_WAITING, 200 * US), "send": MS, "splice": MS, "close": MS}
"""Calls that may wait, and from how many nanoseconds on they surely did."""


class Work(NamedTuple):
    """A bar before its rows are known; `start` and `end` are places among the moments."""

    thread: Thread
    start: int
    end: int | None
    calls: tuple[Call, ...]
    connection: int | None


class Way(NamedTuple):
    """An arrow before its rows are known; `sent` and `received` are places too."""

    source: Thread
    target: Thread
    sent: int | None
    received: int | None
    segments: tuple[Segment, ...]
    connection: int | None


class Placing:
    """One figure in the making."""

    def __init__(
        self,
        timeline: Timeline,
        options: Options,
        drawn: Content,
        calls: Iterable[tuple[tuple[Call, ...], int | None]],
        segments: Iterable[tuple[tuple[Segment, ...], int | None]],
    ) -> None:
        self.timeline, self.options, self.drawn = timeline, options, drawn
        self.places = rows.places(timeline)
        works = (self._work(run, connection) for run, connection in calls)
        self.works = sorted(works, key=lambda work: work.start)
        threads: dict[str, dict[Thread, None]] = {}
        for work in self.works:
            threads.setdefault(work.thread.host, {})[work.thread] = None
        self.ends = Ends(timeline.recording, drawn.connections, threads)
        ways = (self._way(run, connection) for run, connection in segments)
        self.ways = [way for way in ways if self._asked_for(way)]
        self.types = {socket.id: socket.type for socket in timeline.sockets}
        self.latest = {thread_of(call): call for call in timeline.calls}
        self.columns = Columns(timeline.recording, drawn.connections, options, self._threads())
        self.marked = [*self._marked()]

    def figure(self) -> Figure:
        """Return the figure; its rows are as `rows.arrange` makes them."""
        self.row_of, times = rows.arrange(self.timeline, self._stamps())
        self.last = max(len(times) - 1, 0)
        zero = self.timeline.recording.start
        bars, marks = tuple(map(self._bar, self.works)), tuple(map(self._mark, self.marked))
        arrows = tuple(sorted(map(self._arrow, self.ways), key=lambda a: (a.first, a.last)))
        return Figure(
            title=self.timeline.recording.title,
            tracer=self.timeline.recording.tracer,
            zero=zero,
            columns=self.columns.columns,
            lanes=self.columns.lanes(bars, arrows, marks, self.last),
            rows=tuple(time - zero for time in times),
            bars=bars,
            arrows=arrows,
            marks=marks,
            connections=self.drawn.connections,
            groups=tuple(self.drawn.groups),
            notices=self.timeline.recording.notices,
            left_out=dict(self.drawn.left_out),
        )

    def _work(self, calls: tuple[Call, ...], connection: int | None) -> Work:
        start = min(self.places[id(call), "call"] for call in calls)
        ends = [self.places.get((id(call), "return")) for call in calls]
        known = [end for end in ends if end is not None]
        end = max(known) if len(known) == len(ends) else None
        return Work(thread_of(calls[0]), start, end, calls, connection)

    def _way(self, segments: tuple[Segment, ...], connection: int | None) -> Way:
        source, target = self.ends.of(segments[0], connection)
        sent = (self.places.get((id(segment), "sent")) for segment in segments)
        received = (self.places.get((id(segment), "received")) for segment in segments)
        return Way(
            source,
            target,
            min((place for place in sent if place is not None), default=None),
            max((place for place in received if place is not None), default=None),
            segments,
            connection,
        )

    def _asked_for(self, way: Way) -> bool:
        hosts = self.options.hosts
        return hosts is None or way.source.host in hosts or way.target.host in hosts

    def _threads(self) -> Iterator[Thread]:
        yield from (work.thread for work in self.works)
        for way in self.ways:
            yield from (way.source, way.target)
            if self.options.routers:
                yield from (Thread(sight.host) for s in way.segments for sight in s.via)

    def _marked(self) -> Iterator[Marked]:
        descent = parents(self.timeline.recording, self.columns.number)
        self.columns.descend(descent)
        yield from process_marks(
            self.timeline, {thread: descent.get(thread) for thread in self.columns.number}
        )
        if self.options.states:
            calls = [call for work in self.works for call in work.calls]
            states = state_marks(self.timeline, self.drawn.connections, calls, self.ends)
            yield from (mark for mark in states if mark.thread in self.columns.number)

    def _stamps(self) -> Iterator[rows.Stamp]:
        number = self.columns.number
        for work in self.works:
            for place in (work.start, work.end):
                if place is not None:
                    yield rows.Stamp(place, number[work.thread])
        for way in self.ways:
            for place, thread in ((way.sent, way.source), (way.received, way.target)):
                if place is not None:
                    yield rows.Stamp(place, number[thread])
        for mark in self.marked:
            yield rows.Stamp(self.places[id(mark.event), "at"], number[mark.thread])

    def _bar(self, work: Work) -> Bar:
        first = self.row_of[work.start]
        last = self.last if work.end is None else self.row_of[work.end]
        helper = all(verb(c.name) in UNCOUNTED or c.socket is None for c in work.calls)
        return Bar(
            self.columns.number[work.thread],
            first,
            max(first, last),
            work.calls,
            work.connection,
            self._blocked(work),
            helper and all(verb(call.name) != "fork" and not call.failed for call in work.calls),
            self._returned(work.calls[-1]),
            self.types.get(work.calls[0].socket or 0, "").startswith("SOCK_DGRAM"),
        )

    def _returned(self, call: Call) -> bool:
        """Return whether a program saw a call return: not where a signal ended it in the call."""
        broken = call.errno in BROKEN_OFF and self.latest[thread_of(call)] is call
        return call.end is not None and not broken

    def _blocked(self, work: Work) -> bool:
        call = work.calls[0]
        kind = verb(call.name)
        if len(work.calls) > 1 or kind not in _LONG or call.errno == "EINPROGRESS":
            return False
        if call.end is None or call.end - call.start >= _LONG[kind]:
            return True
        return kind in _WAITING and self._something_arrived(work)

    def _something_arrived(self, work: Work) -> bool:
        if not hasattr(self, "arrivals"):
            self.arrivals: dict[Thread, list[int]] = {}
            for place, thread in sorted((w.received or -1, w.target) for w in self.ways):
                self.arrivals.setdefault(thread, []).append(place)
        places: Sequence[int] = self.arrivals.get(work.thread, ())
        after = bisect_right(places, work.start)
        return after < len(places) and places[after] < (work.end or 0)

    def _arrow(self, way: Way) -> Arrow:
        known = [self.row_of[place] for place in (way.sent, way.received) if place is not None]
        lost = way.received is None and self.ends.hosts.get(way.segments[0].target.address)
        return Arrow(
            self.columns.number[way.source],
            self.columns.number[way.target],
            known[0],
            max(known),
            kind_of(way.segments[0]),
            way.segments,
            way.connection,
            bool(lost),
            _via(way.segments[0]),
        )

    def _mark(self, marked: Marked) -> Mark:
        row = self.row_of[self.places[id(marked.event), "at"]]
        target = self.columns.number[marked.target] if marked.target else None
        lane = self.columns.number[marked.thread]
        return Mark(lane, row, marked.kind, marked.text, marked.connection, target)


def _via(segment: Segment) -> tuple[tuple[str, float], ...]:
    """Return the routers of a segment, each with the part of the way's time until then."""
    if segment.sent is None or segment.received is None:
        return tuple((s.host, (n + 1) / (len(segment.via) + 1)) for n, s in enumerate(segment.via))
    took = max(segment.received.time - segment.sent.time, 1)
    parts = ((s.host, (s.time - segment.sent.time) / took) for s in segment.via)
    return tuple((host, min(max(part, 0.0), 1.0)) for host, part in parts)
