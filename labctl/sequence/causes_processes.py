"""What causes what when processes and threads begin and end (clone(2), _exit(2), wait(2)).

- A process begins in the call that forks it: that was called before the first call of the new
  process, and before the tracer told of it.
- It has ended after its last call, and before a wait for it returns.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from operator import attrgetter

from labctl.sequence import arguments
from labctl.sequence.assembled import Assembled
from labctl.sequence.events import Call, ProcessEvent
from labctl.sequence.moment_key import Cause, at, entry, exit_of
from labctl.sequence.moments import NEAR
from labctl.sequence.processes import Process, first_calls
from labctl.sequence.recording import Recording
from labctl.sequence.verbs import verb


def of_processes(recording: Recording, assembled: Assembled) -> Iterator[Cause]:
    """Yield the causes between the calls of a process and those of its parent."""
    calls, forks = assembled.calls, assembled.processes.forks
    for number, fork in first_calls(calls, forks).items():
        if fork.call is not None:
            yield entry(calls[fork.call]), entry(calls[number])
    for fork in forks:
        if fork.call is not None and fork.event is not None:
            yield entry(calls[fork.call]), at(recording.processes[fork.event])
    yield from _last_calls(recording, calls)
    yield from _waits(assembled)


def _last_calls(recording: Recording, calls: tuple[Call, ...]) -> Iterator[Cause]:
    by_thread: dict[Process, list[Call]] = defaultdict(list)
    for call in calls:
        by_thread[call.host, call.tid].append(call)
    for event in recording.processes:
        if event.kind == "exit":
            own = by_thread.get((event.host, event.tid), [])
            place = bisect_right(own, event.time + NEAR, key=attrgetter("start"))
            if place:
                last = own[place - 1]
                yield exit_of(last) if last.end is not None else entry(last), at(event)


def _waits(assembled: Assembled) -> Iterator[Cause]:
    ends: dict[Process, list[ProcessEvent]] = defaultdict(list)
    for event in sorted(assembled.processes.exits, key=attrgetter("time")):
        ends[event.host, event.pid].append(event)
    for call in assembled.calls:
        child = _waited_for(call)
        if child is not None and call.end is not None:
            own = ends.get((call.host, child), [])
            place = bisect_right(own, call.end + NEAR, key=attrgetter("time"))
            if place:
                yield at(own[place - 1]), exit_of(call)


def _waited_for(call: Call) -> int | None:
    """Return the process whose change of state a wait returned."""
    if verb(call.name) != "wait" or call.failed or call.result is None:
        return None
    return call.result or arguments.number(call, "child")
