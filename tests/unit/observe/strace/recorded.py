"""Recorded output of strace, and an independent, simple reading of it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from labctl.observe.strace import Parsed, parse

FOLDER = Path(__file__).parents[1] / "recorded/strace"
NAMES = ("c", "python", "go", "java", "node", "attached")

ATTACHED = {25186: 25186, 25188: 25186, 25189: 25186}
"""Of attached.txt: the threads that were there, each with its process."""

_BEGUN = re.compile(rb"(\d+) (\d+)\.(\d{9}) (\w+)\(")
_RESUMED = re.compile(rb"(\d+) \S+ <\.\.\. \w+ resumed>")
_SUPERSEDED = re.compile(rb"(\d+) \S+ \+\+\+ superseded by execve in pid (\d+)")
_RETURNED = re.compile(rb"\) += (-?\d+|0x[0-9a-f]+|\?)(?: (E\w+) \([^()]*\))?(?: .*)?$")


class Fact(NamedTuple):
    """A call as the file has it: `result` None where none is told."""

    tid: int
    start: int
    name: str
    result: int | None
    errno: str | None


@cache
def lines(name: str) -> list[bytes]:
    return (FOLDER / f"{name}.txt").read_bytes().splitlines(keepends=True)


@cache
def parsed(name: str) -> Parsed:
    return parse(lines(name), "h", ATTACHED if name == "attached" else {})


@cache
def facts(name: str) -> list[Fact]:
    """Return all calls of a file by start, the halves of one put together by the thread."""
    found = []
    under_way: dict[int, Fact] = {}
    for line in lines(name):
        if match := _BEGUN.match(line):
            tid, start = int(match[1]), int(match[2] + match[3])
            fact = Fact(tid, start, match[4].decode(), *_result(line))
            if b"<unfinished ...>" in line or b") " not in line:
                under_way[tid] = fact
            else:
                found.append(fact)
        elif match := _SUPERSEDED.match(line):
            under_way[int(match[1])] = under_way.pop(int(match[2]))
        elif match := _RESUMED.match(line):
            before = under_way.pop(int(match[1]))
            result, errno = _result(line)
            found.append(before._replace(result=result, errno=errno))
    return sorted([*found, *under_way.values()], key=lambda fact: fact.start)


def _result(line: bytes) -> tuple[int | None, str | None]:
    match = _RETURNED.search(line.rstrip())
    if match is None:
        return None, None
    if match[2]:
        return -1, match[2].decode()
    return (None if match[1] == b"?" else int(match[1], 0)), None
