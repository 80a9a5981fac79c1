"""Takes the kernel's trace apart into lines: when, which thread, which event. Pure.

A line is `   COMMAND-TID [CPU] FLAGS SECONDS.MICROSECONDS: EVENT` (Documentation/trace/ftrace
of Linux). COMMAND has 16 places and may hold anything, also what looks like another line or
ends one. Between them are lines of the observer's own: `#labctl` and a JSON object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

MARK = b"#labctl "

_LINE = re.compile(
    rb".{16}-(\d{1,10}) +(?:\([ \d-]+\) +)?\[(\d{1,5})\] ([^ ]{3,8}) +(\d{1,12})\.(\d{6}): "
    rb"(?:sys_(\w+)(?: -> (?:0x)?([0-9a-f]{1,16})|\((.*)\))|(\w+): (.*))\Z",
    re.DOTALL,
)
_LOST = re.compile(rb"CPU:\d+ \[LOST (\d{1,18}) EVENTS\]")
_ARGUMENT = re.compile(rb"(?:^|, )\w+: (?:0x)?([0-9a-f]{1,16})")
_ENDS = {
    b"sched_process_fork": re.compile(rb" child_pid=\d+\Z"),
    b"sched_process_exec": re.compile(rb" pid=\d+ old_pid=\d+\Z"),
    b"sched_process_exit": re.compile(rb" pid=\d+ prio=-?\d+"),
    b"sched_switch": re.compile(rb" next_pid=\d+ next_prio=-?\d+\Z"),
    b"signal_generate": re.compile(rb" pid=\d+ grp=\d+ res=\d+\Z"),
    b"task_newtask": re.compile(rb" clone_flags=[0-9a-f]+ oom_score_adj=-?\d+\Z"),
}
"""How events end that may have a line's end in them, as part of a name."""


class Line(NamedTuple):
    """An event, or the entry of a call (`call`, `args`), or its return (`call`, `result`).

    `time` is in ns of CLOCK_REALTIME, known to half a microsecond. `soft` says that the kernel
    was at work on something else than the thread's own doing: an interrupt, a packet.
    """

    time: int
    tid: int
    cpu: int
    soft: bool
    call: str
    result: bytes | None
    args: bytes | None
    event: bytes
    text: bytes

    @property
    def values(self) -> list[int]:
        """The arguments of a call, in order, as the registers had them."""
        return [int(value, 16) for value in _ARGUMENT.findall(self.args or b"")]

    @property
    def returned(self) -> int:
        """What a call returned; below 0 an errno."""
        value = int(self.result or b"0", 16)
        return value - (1 << 64) if value >> 63 else value


@dataclass
class Scanned:
    """The lines as they came, what the observer wrote between them, and what is wrong.

    Those of each processor are in the order of time, but not among those of the others.
    """

    lines: list[Line] = field(default_factory=list)
    marks: list[dict[str, Any]] = field(default_factory=list)
    unreadable: int = 0
    lost: int = 0
    """Events that the kernel says it could not keep."""


def scan(lines: Iterable[bytes]) -> Scanned:
    """Read all lines, with or without their ends. Raises nothing, whatever they are."""
    found = Scanned()
    ahead = 0
    held = b""
    for raw in lines:
        if raw.startswith(b"#"):
            ahead = _mark(found, raw, ahead)
            continue
        match = _whole(raw)
        if match is None and (lost := _LOST.match(raw)):
            found.lost += int(lost[1])
            continue
        if match is None and held:
            match = _whole(held + b"\n" + raw)
        elif held:
            found.unreadable += 1
        if match is None:
            found.unreadable += bool(held)
            held = raw.strip() and raw.removesuffix(b"\n")
            continue
        held = b""
        found.lines.append(_line(match, ahead))
    found.unreadable += bool(held)
    return found


def _whole(raw: bytes) -> re.Match[bytes] | None:
    match = _LINE.match(raw.rstrip())
    if match is not None and (ending := _ENDS.get(match[9])) and not ending.search(match[10]):
        return None
    return match


def _line(match: re.Match[bytes], ahead: int) -> Line:
    tid, cpu, flags, seconds, micros, name, result, args, event, text = match.groups()
    return Line(
        int(seconds + micros) * 1000 - ahead,
        int(tid),
        int(cpu),
        flags[2] not in b".",
        _named(name) if name else "",
        result,
        args,
        event or b"",
        text or b"",
    )


@cache
def _named(name: bytes) -> str:
    return name.decode()


def _mark(found: Scanned, raw: bytes, ahead: int) -> int:
    if not raw.startswith(MARK):
        return ahead  # a heading of the kernel's
    try:
        mark = json.loads(raw[len(MARK) :])
    except (ValueError, RecursionError):
        mark = None
    if not isinstance(mark, dict):
        found.unreadable += 1
        return ahead
    found.marks.append(mark)
    told = mark.get("ahead", ahead)
    return told if isinstance(told, int) else ahead
