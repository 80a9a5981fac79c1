"""When processes and threads began and ended, as narrowly as a recording tells."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from labctl.sequence import arguments
from labctl.sequence.events import Call, ProcessEvent
from labctl.sequence.moments import NEAR
from labctl.sequence.recording import Recording
from labctl.sequence.verbs import verb

COARSE = 1_000
"""How many nanoseconds one stamp of the tracer tracefs stands for."""

Process = tuple[str, int]
"""A host, and a number there."""


@dataclass(frozen=True, slots=True)
class Fork:
    """A process or thread that began.

    It began between `earliest` and `time`: when clone was called, and when it had returned or
    the child made its first call. `call` is the number of the clone among the calls, `event`
    that of the event among the recording's; None where one was not seen. `shares` tells of one
    that has its parent's descriptor table, not a copy (CLONE_FILES in clone(2)).
    """

    host: str
    pid: int
    child: int
    earliest: int
    time: int
    call: int | None
    event: int | None
    shares: bool
    thread: bool


class Processes:
    """The forks and the ends of the processes of a recording."""

    def __init__(self, recording: Recording) -> None:
        self._calls = recording.calls
        self._events = recording.processes
        self._starts: dict[Process, list[int]] = defaultdict(list)
        self._clones: dict[tuple[str, int, int], list[int]] = defaultdict(list)
        self.executing: set[Process] = set()
        """Processes of which an execve is among the calls."""
        for index, call in enumerate(recording.calls):
            self._starts[call.host, call.tid].append(call.start)
            name = verb(call.name)
            if name == "fork" and call.result and call.result > 0:
                self._clones[call.host, call.pid, call.result].append(index)
            elif name == "exec" and call.result == 0:
                self.executing.add((call.host, call.pid))
        self.forks = sorted(self._forks(), key=lambda f: f.time)
        self.exits = tuple(self._exits())
        """The events with which whole processes ended: of several threads, the last."""

    def _forks(self) -> Iterator[Fork]:
        seen: set[int] = set()
        for number, event in enumerate(self._events):
            if event.kind not in ("fork", "thread") or event.child is None:
                continue
            clone = self._clone_of(event)
            if clone is not None and clone in seen:
                clone = None
            if clone is not None:
                seen.add(clone)
            yield self._fork(event, number, clone)
        for numbers in self._clones.values():
            for clone in numbers:
                if clone not in seen:
                    yield self._fork(None, None, clone)

    def _clone_of(self, event: ProcessEvent) -> int | None:
        """Return the clone that an event is of: the last with that result called before it."""
        numbers = self._clones.get((event.host, event.pid, event.child or 0), [])
        starts = [self._calls[n].start for n in numbers]
        place = bisect_left(starts, event.time + COARSE)
        return numbers[place - 1] if place else None

    def _fork(self, event: ProcessEvent | None, number: int | None, clone: int | None) -> Fork:
        call = None if clone is None else self._calls[clone]
        known = event or call
        assert known is not None
        flags = arguments.words(call, "flags") if call else frozenset[str]()
        child = event.child if event else call.result if call else None
        assert child is not None
        earliest = call.start if call else event.time if event else 0
        stamps = (call.end if call else None, event.time if event else None)
        ends = [t for t in stamps if t is not None]
        thread = "CLONE_THREAD" in flags or (event is not None and event.kind == "thread")
        first = self._first_start(known.host, child, earliest)
        time = max(earliest, min([*ends, first] if first is not None else ends))
        shares = thread or "CLONE_FILES" in flags
        return Fork(known.host, known.pid, child, earliest, time, clone, number, shares, thread)

    def _first_start(self, host: str, tid: int, after: int) -> int | None:
        starts = self._starts.get((host, tid), [])
        if starts and after - NEAR <= starts[0] < after:
            return starts[0]
        place = bisect_left(starts, after)
        return starts[place] if place < len(starts) else None

    def _exits(self) -> Iterator[ProcessEvent]:
        begun: dict[Process, list[int]] = defaultdict(list)
        for fork in self.forks:
            if not fork.thread:
                begun[fork.host, fork.child].append(fork.time)
        last: dict[tuple[Process, int], ProcessEvent] = {}
        ended: set[tuple[Process, int]] = set()
        for event in self._events:
            if event.kind == "exit":
                process = event.host, event.pid
                life = bisect_left(begun.get(process, []), event.time)
                last[process, life] = event
                if event.tid == event.pid:  # else only one of its threads has ended
                    ended.add((process, life))
        yield from (event for key, event in last.items() if key in ended)


def first_calls(calls: Sequence[Call], forks: Sequence[Fork]) -> dict[int, Fork]:
    """Return the numbers of the first calls of new processes and threads, with their forks.

    Clocks may have stamped them a little too early where the number was not used before.
    """
    known: set[Process] = set()
    pending: dict[Process, list[Fork]] = defaultdict(list)
    for fork in reversed(forks):
        pending[fork.host, fork.child].append(fork)
    found: dict[int, Fork] = {}
    for index, call in enumerate(calls):
        thread = call.host, call.tid
        waiting = pending.get(thread)
        start = call.start if thread in known else call.start + NEAR
        known.add(thread)
        if waiting and waiting[-1].earliest <= start:
            fork = waiting.pop()
            while waiting and waiting[-1].earliest <= call.start:
                fork = waiting.pop()
            found[index] = fork
    return found
