"""Lays a timeline out: who has which lane, what is drawn from which row to which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from labctl.sequence.events import Call, Segment
from labctl.sequence.timeline import Timeline
from labctl.show.figure.content import Content, content
from labctl.show.figure.folding import Event, Run, fold_calls, fold_segments
from labctl.show.figure.lanes import Thread, thread_of
from labctl.show.figure.model import Figure, Options
from labctl.show.figure.placing import Placing
from labctl.show.figure.tighten import tighten

CallRun = tuple[Run[Call], int | None]
SegmentRun = tuple[Run[Segment], int | None]


def figure_of(shown: Timeline | Figure, options: Options | None = None) -> Figure:
    """Return what is given, laid out by `layout` unless it is already."""
    return shown if isinstance(shown, Figure) else layout(shown, options)


def layout(timeline: Timeline, options: Options | None = None, tight: bool = True) -> Figure:
    """Return the figure of a timeline; without `tight` each moment keeps a row of its own.

    Raises UsageError where the options name a connection or a host that is not there.
    """
    options = options or Options()
    drawn = content(timeline, options)
    calls = list(call_runs(drawn, options))
    segments = list(segment_runs(timeline, drawn, options))
    figure = Placing(timeline, options, drawn, calls, segments).figure()
    return tighten(figure) if tight else figure


def call_runs(drawn: Content, options: Options) -> Iterator[CallRun]:
    """Yield what becomes a bar: the calls of a thread on a connection, repetitions as one."""
    threads: dict[tuple[Thread, int | None], list[Call]] = defaultdict(list)
    for call, connection in drawn.calls:
        threads[thread_of(call), connection].append(call)
    for (_, connection), calls in threads.items():
        runs = _single(calls) if options.unfold else fold_calls(calls)
        yield from ((run, connection) for run in runs)


def segment_runs(timeline: Timeline, drawn: Content, options: Options) -> Iterator[SegmentRun]:
    """Yield what becomes an arrow: the segments of a connection, repetitions as one."""
    own = {address for host in timeline.recording.hosts for address in host.addresses.values()}
    by_connection: dict[int | None, list[Segment]] = defaultdict(list)
    for segment, connection in drawn.segments:
        by_connection[connection].append(segment)
    for connection, segments in by_connection.items():
        if options.unfold:
            runs = _single(segments)
        else:
            runs = fold_segments(segments, lambda s: lost(s, own))
        yield from ((run, connection) for run in runs)


def lost(segment: Segment, own: Iterable[str]) -> bool:
    """Return whether a segment was to arrive at an observed address and never did."""
    return segment.received is None and segment.target.address in own


def _single(events: Sequence[Event]) -> list[Run[Event]]:
    return [(event,) for event in events]
