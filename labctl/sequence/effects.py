"""When each call changes a descriptor table: the order in which tables are rebuilt.

A call is an interval, but a table changes at a point of it. A number is freed as soon as a
close is entered and looked up as soon as any call is (close(2), "Multithreaded processes and
close()"); a number that a call returns is known to nobody before the return. So for each
number of each table, taking looking up and freeing at the entry, and giving at the return,
puts all changes in the order that they had. A child's table is copied within the clone, at the
latest when the child makes its first call.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from labctl.sequence import arguments
from labctl.sequence.events import Call, ProcessEvent
from labctl.sequence.moments import NEAR
from labctl.sequence.processes import Fork, Process, Processes, first_calls
from labctl.sequence.recording import Recording
from labctl.sequence.returns import latest_returns
from labctl.sequence.verbs import verb

LEAVE, FORK, ENTER, EXEC, EXIT = range(5)
"""What an effect is of: the return of a call, a fork, the entry of a call, an event of a
process. In the order of what has the same stamp."""

GIVING = frozenset({"socket", "socketpair", "accept", "dup", "fcntl", "epoll", "recv"})
"""Verbs whose calls may return a new descriptor."""

_GENERATIONS = 8
"""Over how many forks, one in the child of the other, stamps are corrected at most."""


class Effect(NamedTuple):
    """Something that a table must follow; `number` is its place among the events of its kind."""

    time: int
    rank: int
    number: int


def in_order(recording: Recording, processes: Processes) -> list[Effect]:
    """Return all effects of a recording in their order."""
    starts, ends, forks = _corrected(recording.calls, processes.forks)
    found = [Effect(start, ENTER, number) for number, start in enumerate(starts)]
    given = _after_their_messages(recording, starts, ends)
    found += [
        Effect(end, LEAVE, number)
        for number, (call, end) in enumerate(zip(recording.calls, given, strict=True))
        if call.end is not None and verb(call.name) in GIVING
    ]
    found += [Effect(time, FORK, number) for number, time in enumerate(forks)]
    found += _of_events(recording, processes, ends)
    found.sort()
    return found


def _corrected(
    calls: Sequence[Call], forks: Sequence[Fork]
) -> tuple[list[int], list[int], list[int]]:
    """Return when calls started, when they ended, and when processes were forked.

    Clocks may stamp a thread's call before its fork, or before the return of the call before;
    coarse ones don't tell the two ends of a quick call apart.
    """
    first = first_calls(calls, forks)
    floors = {number: fork.time for number, fork in first.items()}
    for _ in range(_GENERATIONS):
        starts, ends = _in_threads(calls, floors)
        times = [
            fork.time if fork.call is None else max(fork.time, starts[fork.call] + 1)
            for fork in forks
        ]
        by_fork = {id(fork): time for fork, time in zip(forks, times, strict=True)}
        later = {number: by_fork[id(fork)] for number, fork in first.items()}
        if later == floors:
            break
        floors = later
    return starts, ends, times


def _in_threads(calls: Sequence[Call], floors: dict[int, int]) -> tuple[list[int], list[int]]:
    starts, ends = [], []
    busy_until: dict[Process, int] = {}
    for number, call in enumerate(calls):
        thread = call.host, call.tid
        start = max(call.start, busy_until.get(thread, 0), floors.get(number, 0))
        start = start if start <= call.start + NEAR else call.start
        end = start if call.end is None else max(call.end, start + 1)
        if call.end is not None:
            busy_until[thread] = end
        starts.append(start)
        ends.append(end)
    return starts, ends


def _after_their_messages(
    recording: Recording, starts: Sequence[int], ends: Sequence[int]
) -> list[int]:
    """Return when calls ended, where none gets descriptors in a message before it is sent.

    A return may be stamped too early; see `labctl.sequence.returns`. No more messages can have
    come than were sent: the k-th that comes, not before the k-th is sent.
    """
    calls, corrected = recording.calls, list(ends)
    sent: dict[tuple[str, int], list[int]] = defaultdict(list)
    came: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for number, call in enumerate(calls):
        passed = arguments.descriptors(call, "descriptors")
        if not passed or call.failed or call.end is None:
            continue
        if verb(call.name) == "send":
            sent[call.host, len(passed)].append(starts[number])
        elif verb(call.name) == "recv":
            came[call.host, len(passed)].append((ends[number], number))
    latest = latest_returns(calls, recording.tracer) if sent and came else {}
    for kind, receipts in came.items():
        for (end, number), start in zip(sorted(receipts), sorted(sent[kind]), strict=False):
            if end <= start < latest.get(id(calls[number]), end):
                corrected[number] = start + 1
    return corrected


def _of_events(recording: Recording, processes: Processes, ends: Sequence[int]) -> Iterator[Effect]:
    over = {id(event) for event in processes.exits}
    idle = _Idle(recording.calls, ends)
    for number, event in enumerate(recording.processes):
        if event.kind == "exit" and id(event) in over:
            yield Effect(idle.after(event), EXIT, number)
        elif event.kind == "exec" and (event.host, event.pid) not in processes.executing:
            yield Effect(event.time, EXEC, number)


class _Idle:
    """When the calls of a process were over, whose ends are corrected."""

    def __init__(self, calls: Sequence[Call], ends: Sequence[int]) -> None:
        self._starts: dict[Process, list[int]] = defaultdict(list)
        self._ends: dict[Process, list[int]] = defaultdict(list)
        for call, end in zip(calls, ends, strict=True):
            process = call.host, call.pid
            known = self._ends[process]
            known.append(max(end, known[-1]) if known else end)
            self._starts[process].append(call.start)

    def after(self, event: ProcessEvent) -> int:
        """Return when a process ended, but not before its last call did."""
        process = event.host, event.pid
        place = bisect_right(self._starts[process], event.time)
        end = self._ends[process][place - 1] if place else 0
        return max(event.time, end) if end <= event.time + NEAR else event.time
