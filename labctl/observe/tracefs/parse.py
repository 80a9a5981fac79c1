"""From the trace of a whole lab to its events. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from labctl.observe.tracefs import accepted, numbers, states, under_way
from labctl.observe.tracefs.decode import decode
from labctl.observe.tracefs.lines import Scanned, scan
from labctl.observe.tracefs.lives import RawEvent
from labctl.observe.tracefs.reader import Reader
from labctl.observe.tracefs.tasks import Follow, RawCall, Tasks
from labctl.sequence.events import Call, Notice, ProcessEvent, StateChange
from labctl.sequence.processor import Processor


@dataclass(frozen=True, slots=True)
class Parsed:
    """Each kind of event in the order of time, of calls by `start`."""

    calls: tuple[Call, ...]
    processes: tuple[ProcessEvent, ...]
    states: tuple[StateChange, ...]
    notices: tuple[Notice, ...]
    processor: tuple[Processor, ...] | None = None


def parse(
    lines: Iterable[bytes],
    follows: Sequence[Follow],
    addresses: Mapping[str, str],
    *,
    every_call: bool = False,
) -> Parsed:
    """Read what `Tracefs` of images/observer/agent wrote.

    `follows` tells what was followed where, `addresses` maps each IP address of the lab to its
    host. Whatever the lines are, nothing is raised; what cannot be read, or may be missing, is
    told by notices, those about the whole trace with an empty host. With `every_call`, the trace
    has all calls, and when threads had a processor.

    A call's times enclose it: the trace shows microseconds, rounded. A connection that waits in
    TIME-WAIT is CLOSED for Linux. Where the kernel chose the port of a bind, its `address`
    has that port.
    """
    scanned = scan(lines)
    tasks = Tasks(follows, scanned.marks)
    reader = Reader(tasks, every_call=every_call)
    found = [*scanned.lines, *under_way.lines(scanned.marks)]
    for line in sorted(found, key=attrgetter("time")):
        reader.read(line)
    tasks.end()
    placed = states.placed(reader.states, addresses)
    accepted.fill_in(reader.listeners, placed)
    nameless: Counter[str] = Counter()
    calls = tuple(c for raw in reader.calls.values() if (c := _call(raw, nameless)))
    sigchld = any(mark.get("sigchld") is True for mark in scanned.marks)
    processes = tuple(e for event in reader.lives.events if (e := _event(event, sigchld)))
    notices = (*_said(scanned), *_missed(scanned, reader), *_nameless(nameless))
    processor = tuple(reader.working.all()) if every_call else None
    return Parsed(calls, processes, states.final(placed), notices, processor)


def _call(raw: RawCall, nameless: Counter[str]) -> Call | None:
    process, tid = raw.task.process, raw.task.number
    if process.number is None or tid is None:
        nameless[process.host] += 1
        return None
    fd, args = decode(raw.name, raw.values)
    errno = result = None
    if raw.end is not None:
        result = raw.result
        if -4096 < result < 0:
            errno, result = numbers.error(-result), -1
    return Call(
        process.host,
        process.number,
        tid,
        raw.name,
        raw.start,
        raw.end,
        result,
        errno,
        fd,
        {**args, **raw.more} if raw.more else args,
    )


def _event(raw: RawEvent, sigchld: bool) -> ProcessEvent | None:
    task, process = raw.task, raw.task.process
    if process.number is None or task.number is None:
        return None
    child = raw.child.number if raw.child else None
    if raw.child is not None and child is None:
        return None
    event = ProcessEvent(
        process.host, process.number, task.number, raw.kind, raw.time, child, raw.program
    )
    return _ended(event, raw, sigchld) if raw.kind == "exit" else event


def _ended(event: ProcessEvent, raw: RawEvent, sigchld: bool) -> ProcessEvent:
    task, process = raw.task, raw.task.process
    code, signal = task.code, None
    if code is None:
        code, signal = process.code, process.signal
    signal = None if code is not None else signal or task.signal
    if signal == "SIGKILL" and process.sent is not None:
        signal = process.sent
    told = process.told_parent if sigchld and event.tid == event.pid else None
    return replace(event, code=code, signal=signal, told_parent=told)


_NOT_LINUX = (
    *("send", "recv", "waitpid", "fcntl64", "fork", "vfork"),
    *("poll", "select", "dup2", "epoll_create"),
)
"""Calls that a 64-bit kernel of some kind does not have: no program there can make them."""


def _said(scanned: Scanned) -> Iterable[Notice]:
    """Yield what the observer itself said of the trace."""
    for mark in scanned.marks:
        skipped = mark.get("skipped")
        named = skipped if isinstance(skipped, list) else []
        unseen = [str(call) for call in named if call not in _NOT_LINUX]
        if unseen:
            yield Notice("", f"this kernel does not trace the calls {', '.join(sorted(unseen))}")
        if mark.get("cut"):
            yield ended_early(mark["cut"])


_RING = "a program uses io_uring: what it asks of the kernel that way is not seen"


def _missed(scanned: Scanned, reader: Reader) -> Iterable[Notice]:
    told = [m["lost"] for m in scanned.marks if isinstance(m.get("lost"), int)]
    lost = max(scanned.lost, *told, 0)
    if lost:
        yield _gap(f"{_many(lost, 'event')} of the kernel's found no room and are missing")
    if scanned.unreadable:
        yield _gap(f"{_many(scanned.unreadable, 'line')} of the trace could not be read")
    if reader.strangers:
        lines = _many(reader.strangers, "line")
        yield _gap(f"{lines} of the trace are of processes of no known host")
    for host in sorted(reader.rings):
        yield _gap(_RING, host)
    if reader.lives.superseded:
        programs = _many(reader.lives.superseded, "program")
        yield _gap(f"{programs} executed by a later thread: the kernel may stop tracing it")
    if reader.lives.guessed:
        made = _many(reader.lives.guessed, "new thread")
        yield Notice("", f"of {made} it is not known whether they are processes")


def _nameless(nameless: Counter[str]) -> Iterable[Notice]:
    for host, number in sorted(nameless.items()):
        text = f"{_many(number, 'call')} left out: the trace does not tell by which process"
        yield _gap(text, host)


def ended_early(why: object) -> Notice:
    """Return what is said of a trace that was cut, as the observer tells or has marked there."""
    return _gap(f"tracing ended early: {why}")


def _gap(text: str, host: str = "") -> Notice:
    return Notice(host, text, missing=("calls",))


def _many(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
