"""Recorded traces of the kernel, and what strace said of the same runs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from labctl.observe import strace
from labctl.observe.tracefs import Follow, Parsed, parse

FOLDER = Path(__file__).parents[1] / "recorded/tracefs"
NAMES = ("c", "python", "go", "java", "node")
"""Of these strace saw the same run."""


@cache
def lines(name: str) -> list[bytes]:
    return (FOLDER / f"{name}.trace").read_bytes().splitlines(keepends=True)


def follows(found: Iterable[bytes]) -> list[Follow]:
    """Return what the observer would tell: here it is read from its own lines in the trace."""
    told = []
    for line in found:
        if line.startswith(b'#labctl {"follow"'):
            mark = json.loads(line.removeprefix(b"#labctl "))
            tasks = {int(tid): (pair[0], pair[1]) for tid, pair in mark["tasks"].items()}
            told.append(Follow("h", mark["follow"], tasks))
    return told


@cache
def parsed(name: str) -> Parsed:
    return parse(lines(name), follows(lines(name)), {})


@cache
def oracle(name: str) -> strace.Parsed:
    """Return what strace said of the same run."""
    with (FOLDER / f"{name}.strace").open("rb") as told:
        return strace.parse(told, "h", {})
