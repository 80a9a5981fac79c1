"""A curve: how a server answers growing load, as a program on a host tells it, a JSON line each.

The first line is an object with `title` and `of` (what is asked for); then one for each load, with
`load`, `asked`, `answered`, `per_second` (answers), `p50` and `p99` (seconds). docs/curve.md has
the meaning of each.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from labctl.engine.client import Engine
from labctl.engine.live import LiveHost, LiveLab
from labctl.engine.output import Output
from labctl.errors import CheckFailed
from labctl.play.hosts import LiveHosts
from labctl.play.launcher import Launcher

_GRACE = 3.0
_LOOK_EVERY = 0.3
_HINT = "docs/curve.md tells what a line must have."


@dataclass(frozen=True)
class Point:
    """One load. `load` and `per_second` are a second, `p50` and `p99` in seconds."""

    load: float
    asked: int
    answered: int
    per_second: float
    p50: float
    p99: float
    wrong: int = 0


@dataclass(frozen=True)
class Curve:
    """All loads, and what was asked for."""

    title: str
    of: str
    points: tuple[Point, ...]

    @property
    def most(self) -> float:
        """The most answers in a second."""
        return max(point.per_second for point in self.points)


def parse(lines: Iterable[str], where: str) -> Curve:
    """Return the curve that lines tell. Raises CheckFailed where they tell none."""
    title, of, points = "", "", []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
            if "load" in told:
                points.append(_point(told))
            else:
                title, of = str(told["title"]), str(told["of"])
        except (ValueError, KeyError, TypeError) as error:
            raise CheckFailed(f"{where}: line {number} is no part of a curve", _HINT) from error
    if not (title and points):
        raise CheckFailed(f"{where} has told no curve", _HINT)
    return Curve(title, of, tuple(points))


def _point(told: dict[str, Any]) -> Point:
    """Raises ValueError, KeyError, TypeError."""
    load, answers, p50, p99 = (float(told[key]) for key in ("load", "per_second", "p50", "p99"))
    if not all(math.isfinite(one) and one >= 0 for one in (load, answers, p50, p99)) or not load:
        raise ValueError("not a number")
    asked, answered = int(told["asked"]), int(told["answered"])
    return Point(load, asked, answered, answers, p50, p99, int(told.get("wrong", 0)))


def measure(
    engine: Engine,
    lab: LiveLab,
    host: LiveHost,
    argv: Sequence[str],
    told: Callable[[Point], None],
    timeout: float | None,
) -> tuple[Curve, str | None]:
    """Run a program that tells a curve on a host, and `told` of each point as it comes.

    Returns the curve, and why the program has failed, None where it has not. Whatever ends this,
    the program is ended too. Raises CheckFailed where it has told no curve, or takes more than
    `timeout` seconds, MachineError where the host does not run.
    """
    output = Output()
    launcher = Launcher(LiveHosts(engine, lab), _GRACE)
    where = f"`{argv[0]}` on host {host.name}"
    began = time.monotonic()
    try:
        running = launcher.start(host.name, list(argv), "curve", output)
        seen = 0
        while not running.wait(_LOOK_EVERY):
            seen = _tell(output, seen, told)
            if timeout is not None and time.monotonic() - began > timeout:
                raise CheckFailed(f"{where} did not end within {timeout:g} s", "It was ended.")
        _tell(output, seen, told)
    finally:
        launcher.end()
    said = output.stderr.text.strip()
    why = None if running.code == 0 else said or f"it ended with {running.code}"
    if why is not None and "\n{" not in f"\n{output.stdout.text}":
        raise CheckFailed(f"{where} has failed: {why.splitlines()[-1]}", _HINT)
    return parse(output.stdout.text.splitlines(), where), why


def _tell(output: Output, seen: int, told: Callable[[Point], None]) -> int:
    """Tell of the points in whole lines that are new; return how many lines there are."""
    whole = output.stdout.text.split("\n")[:-1]
    for line in whole[seen:]:
        if '"load"' in line:
            try:
                told(_point(json.loads(line)))
            except (ValueError, KeyError, TypeError):
                continue  # the end tells which line is wrong
    return len(whole)
