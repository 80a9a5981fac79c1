"""When each process of a recording lived, with its threads, and what it executed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from shlex import join

from labctl.sequence.events import Call, ProcessEvent, Value
from labctl.sequence.recording import Recording
from labctl.sequence.verbs import FAMILIES

_EXEC = frozenset(FAMILIES["exec"])
Key = tuple[str, int]


@dataclass(slots=True)
class Life:
    """`threads` has the beginning and the end of each, by its number; times are in ns."""

    program: str
    start: int
    last: int
    """When the recording ended."""
    threads: dict[int, tuple[int, int | None]] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return all(end is not None for _, end in self.threads.values())

    @property
    def end(self) -> int:
        return max((self.end_of(tid) for tid in self.threads), default=self.last)

    @property
    def lifetime(self) -> int:
        """How long all threads lived, added up."""
        return sum(self.end_of(tid) - start for tid, (start, _) in self.threads.items())

    def end_of(self, tid: int) -> int:
        """Return when a thread ended, or the recording."""
        _, end = self.threads.get(tid, (self.start, None))
        return self.last if end is None else end


def lives(recording: Recording, commands: Mapping[Key, Sequence[str]]) -> dict[Key, Life]:
    """Return the life of each process, in which order they began.

    One that was neither there before nor made by another is the shell at a gate: it begins
    when it executes its program, and where it never does it is none.
    """
    before = {
        (host.name, pid): text for host in recording.hosts for pid, text in host.programs.items()
    }
    births = _births(recording.processes)
    programs = _programs(recording.calls)
    last = _last(recording)
    found: dict[Key, Life] = {}
    for call in recording.calls:
        key = (call.host, call.pid)
        if key not in found:
            began = births.get((*key, call.pid), call.start)
            if key not in before and (*key, call.pid) not in births:
                if not programs.get(key):
                    continue
                began = programs[key][0].start
            program = _program(key, programs, commands, before, recording.processes)
            found[key] = Life(program, began, last)
            found[key].threads[call.pid] = (began, None)
        life = found[key]
        if call.tid not in life.threads:
            life.threads[call.tid] = (births.get((*key, call.tid), call.start), None)
    for event in recording.processes:
        if event.kind == "exit" and (event.host, event.pid) in found:
            threads = found[event.host, event.pid].threads
            if event.tid in threads:
                threads[event.tid] = (threads[event.tid][0], event.time)
    return found


def _births(events: Iterable[ProcessEvent]) -> dict[tuple[str, int, int], int]:
    """Return when each process and thread was made, by host, process and thread."""
    found = {}
    for event in events:
        if event.child is not None:
            pid = event.child if event.kind == "fork" else event.pid
            found[event.host, pid, event.child] = event.time
    return found


def _programs(calls: Iterable[Call]) -> dict[Key, list[Call]]:
    """Return the calls with which each process executed a program."""
    found: dict[Key, list[Call]] = {}
    for call in calls:
        if call.name in _EXEC and call.end is not None and not call.failed:
            found.setdefault((call.host, call.pid), []).append(call)
    return found


def _program(
    key: Key,
    programs: Mapping[Key, Sequence[Call]],
    commands: Mapping[Key, Sequence[str]],
    before: Mapping[Key, str],
    events: Iterable[ProcessEvent],
) -> str:
    """Return what a process executed last; of one that did not, what its parent did."""
    executed = programs.get(key, ())
    if len(executed) == 1 and key in commands:
        return join(commands[key])
    if executed:
        return _line(executed[-1].args)
    if key in before:
        return before[key]
    parents = (e.pid for e in events if e.kind == "fork" and (e.host, e.child) == key)
    parent = next(parents, None)
    if parent is None:
        return f"process {key[1]}"
    return _program((key[0], parent), programs, commands, before, events)


def _line(args: Mapping[str, Value]) -> str:
    argv = args.get("argv")
    if isinstance(argv, list) and argv:
        return join(str(word) for word in argv)
    return str(args.get("path", ""))


def _last(recording: Recording) -> int:
    """Return the time of the last thing that any process did."""
    return max(
        (
            *(call.end or call.start for call in recording.calls),
            *(event.time for event in recording.processes),
        ),
        default=0,
    )
