"""Adds up the calls of a recording, by process and by name. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from labctl.sequence.crossings.lives import Life, lives
from labctl.sequence.crossings.model import Crossings, Kind
from labctl.sequence.events import Call
from labctl.sequence.processor import Processor
from labctl.sequence.recording import Recording

WAITING = frozenset(
    {
        *("accept", "accept4", "connect", "recv", "recvfrom", "recvmsg", "recvmmsg"),
        *("poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2"),
        *("nanosleep", "clock_nanosleep", "pause", "rt_sigsuspend", "rt_sigtimedwait"),
        *("wait4", "waitid", "waitpid", "futex", "flock", "msgrcv", "semop", "semtimedop"),
    }
)
"""Calls whose purpose is to wait until something happens."""

MOVING = frozenset(
    {
        *("read", "readv", "pread64", "preadv", "preadv2", "recv", "recvfrom", "recvmsg"),
        *("write", "writev", "pwrite64", "pwritev", "pwritev2", "send", "sendto", "sendmsg"),
        *("sendfile", "splice", "tee", "vmsplice", "copy_file_range"),
    }
)
"""Calls whose result is a number of bytes."""

_EXCESS = {"tracefs": 1000}
"""In ns, by tracer, by how much the times of a call enclose it on the average."""

Key = tuple[str, int]


@dataclass(slots=True)
class _Sum:
    calls: int = 0
    inside: int = 0
    unreturned: int = 0
    stayed: int = 0
    """How long it was in those that never returned."""
    errors: Counter[str] = field(default_factory=Counter)
    moved: int = 0


def tally(
    recording: Recording,
    processor: Iterable[Processor] | None = None,
    commands: Mapping[Key, Sequence[str]] | None = None,
) -> tuple[Crossings, ...]:
    """Return the crossings of each process of a recording of every call, by host and start.

    `processor` is what the scheduler tells, None where it does not; `commands` has command lines
    that are known, by host and number. The shell that waits at a gate is not counted, a process's
    life begins with the `execve` of its program. A call that never returned lasts until the
    thread's end, or that of the recording.
    """
    found = lives(recording, commands or {})
    sums: dict[Key, dict[str, _Sum]] = {key: {} for key in found}
    excess = _EXCESS.get(recording.tracer, 0)
    ends = {(key[0], tid): life.end_of(tid) for key, life in found.items() for tid in life.threads}
    going_on: dict[Key, tuple[_Sum, int]] = {}
    for call in recording.calls:
        life = found.get((call.host, call.pid))
        if life is None or call.start < life.start:
            continue
        kind = sums[call.host, call.pid].setdefault(call.name, _Sum())
        thread = call.host, call.tid
        if thread in going_on:  # its return was lost
            _stayed(*going_on.pop(thread), call.start)
        if call.end is None:
            going_on[thread] = kind, call.start
        _add(kind, call, excess)
    for (host, tid), (kind, start) in going_on.items():
        _stayed(kind, start, ends[host, tid])
    had = None if processor is None else {(one.host, one.pid): one for one in processor}
    made = (
        _crossings(key, life, sums[key], None if had is None else had.get(key, _none(key)))
        for key, life in found.items()
    )
    hosts = [host.name for host in recording.hosts]
    return tuple(sorted(made, key=lambda one: (hosts.index(one.host), one.start, one.pid)))


def _none(key: Key) -> Processor:
    """Return that a process never had a processor: it waited all the time."""
    return Processor(*key, user=0, inside={})


def _stayed(kind: _Sum, start: int, end: int) -> None:
    kind.inside += max(0, end - start)
    kind.stayed += max(0, end - start)


def _add(kind: _Sum, call: Call, excess: int) -> None:
    kind.calls += 1
    if call.end is None:
        kind.unreturned += 1
        return
    kind.inside += max(0, call.end - call.start - excess)
    if call.errno is not None:
        kind.errors[call.errno] += 1
    elif call.result is not None and call.name in MOVING:
        kind.moved += call.result


def _crossings(key: Key, life: Life, sums: Mapping[str, _Sum], had: Processor | None) -> Crossings:
    kinds = [
        Kind(
            name,
            one.calls,
            one.inside,
            _waiting(name, one, had),
            one.unreturned,
            dict(one.errors),
            one.moved,
        )
        for name, one in sums.items()
    ]
    kinds.sort(key=lambda kind: (-kind.inside, -kind.calls, kind.name))
    return Crossings(
        host=key[0],
        pid=key[1],
        program=life.program,
        start=life.start,
        end=life.end,
        ended=life.ended,
        threads=len(life.threads),
        lifetime=life.lifetime,
        kinds=tuple(kinds),
        user=None if had is None else had.user,
    )


def _waiting(name: str, kind: _Sum, had: Processor | None) -> int:
    if had is None:
        return kind.inside if name in WAITING else kind.stayed
    return max(0, kind.inside - had.inside.get(name, 0))
