"""Reads single lines of what strace(1) writes with `-f -o FILE` and the options of `options`. Pure.

A line is a thread's number, a time, and one of these (strace(1), "The trace output format"):

    accept4(3, {...}, [16], SOCK_CLOEXEC) = 4 <0.000011297>
    accept4(3,  <unfinished ...>
    <... accept4 resumed>{...}, [16], SOCK_CLOEXEC) = 4 <0.009725438>
    +++ exited with 0 +++
    +++ superseded by execve in pid 123 +++
    --- SIGPIPE {...} ---
    --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=123, ...} ---
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple


class Outcome(NamedTuple):
    """What stands behind the `=`; `result` is None where the call did not return."""

    result: int | None
    errno: str | None
    remark: str
    duration: int | None
    """In ns; None where strace does not tell."""


class Line(NamedTuple):
    """One line. `kind` is:

    - `call`: `name` and `text` are the call and its arguments; `outcome` None: unfinished
    - `resumed`: `text` is the rest of the arguments
    - `exited`, `killed`: `name` is the exit code or the signal
    - `superseded`: `name` is the number of the thread that executes another program
    - `signal`: one was delivered; `name` is, of SIGCHLD, the number of the child that ended
    - `cut`: a call whose line ends in the middle
    """

    tid: int
    time: int
    kind: Literal["call", "resumed", "exited", "killed", "superseded", "signal", "cut"]
    name: str
    text: str
    outcome: Outcome | None


_LINE = re.compile(
    r"(\d{1,10})(?:<[^>]*>)? +(\d{1,12})\.(\d{1,9}) "
    r"(?:(\w+)\((.*)|<\.\.\. (\w+) resumed> ?(.*)|(?:\+\+\+|---) .*)",
    re.DOTALL | re.ASCII,
)
_END = re.compile(
    r"(.*)\) += (-?\d{1,20}|0x[0-9a-f]{1,16}|\?)(?: <unavailable>)?"
    r"(?: (E[A-Z0-9_]+))?(?: \((.*)\))?(?: <(\d{1,12})\.(\d{1,9})>)?",
    re.DOTALL | re.ASCII,
)
_BREAK = re.compile(r"<(?:unfinished|detached|pid changed to \d+) \.\.\.>\Z", re.ASCII)
_ENDED = re.compile(
    r".*?\+\+\+ (?:(exited) with (\d{1,10})|(killed) by (\w+)(?: \(core dumped\))?"
    r"|(superseded) by execve in pid (\d{1,10})) \+\+\+",
    re.ASCII,
)
_CHILD = re.compile(
    r"--- SIGCHLD \{si_signo=SIGCHLD, si_code=CLD_(?:EXITED|KILLED|DUMPED), si_pid=(\d{1,10}), ",
    re.ASCII,
)


def read(line: str) -> Line | None:
    """Return a line without its newline, each byte one character; None where it is no such."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    tid, seconds, fraction, name, text, resumed, rest = match.groups()
    time = nanoseconds(seconds, fraction)
    if name is not None:
        return _call(int(tid), time, name, text)
    if resumed is not None:
        end = _END.fullmatch(rest)
        if end is None:
            return None
        return Line(int(tid), time, "resumed", resumed, _whole(end[1]), _outcome(end))
    return _ended(int(tid), time, line)


def nanoseconds(seconds: str, fraction: str) -> int:
    """Return a time of which strace has written the digits on both sides of the point."""
    return int(seconds + fraction.ljust(9, "0"))


def _call(tid: int, time: int, name: str, text: str) -> Line:
    if text.endswith("...>") and (broken := _whole(text)) is not text:
        return Line(tid, time, "call", name, broken, None)
    end = _END.fullmatch(text)
    if end is not None:
        return Line(tid, time, "call", name, _whole(end[1]), _outcome(end))
    return Line(tid, time, "cut", name, text, None)


def _whole(text: str) -> str:
    """Return arguments without the mark that the call was not finished there."""
    if not text.endswith("...>"):
        return text
    match = _BREAK.match(text, text.rfind("<"))
    return text[: match.start()].removesuffix(" ") if match else text


def _outcome(end: re.Match[str]) -> Outcome:
    _, result, errno, remark, seconds, fraction = end.groups()
    duration = nanoseconds(seconds, fraction) if seconds is not None else None
    if errno is not None:
        return Outcome(-1, errno, "", duration)
    if result == "?":
        return Outcome(None, None, "", duration)
    if remark and remark.startswith("errno "):
        return Outcome(-1, remark.removeprefix("errno "), "", duration)
    return Outcome(int(result, 0), None, remark or "", duration)


def _ended(tid: int, time: int, line: str) -> Line | None:
    match = _ENDED.fullmatch(line)
    if match is None:
        child = _CHILD.search(line)
        told = Line(tid, time, "signal", child[1] if child else "", "", None)
        return told if line.endswith("---") else None
    if match[1]:
        return Line(tid, time, "exited", match[2], "", None)
    if match[3]:
        return Line(tid, time, "killed", match[4], "", None)
    return Line(tid, time, "superseded", match[6], "", None)
