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

from labctl.engine.output import Output
from labctl.engine.presence import KILLED
from labctl.engine.shield import shielded
from labctl.errors import CheckFailed, LabctlError
from labctl.play.hosts import Command, Hosts
from labctl.play.launcher import Launcher

_GRACE = 3.0
_LOOK_EVERY = 0.3
_SURVIVAL = 1.0
"""Seconds after which the engine knows that a host has ended."""
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


@dataclass(frozen=True)
class Measured:
    """A curve, and what has kept it from being whole: an error, or a Ctrl-C."""

    curve: Curve
    wrong: LabctlError | None = None
    interrupted: bool = False

    @property
    def whole(self) -> bool:
        return self.wrong is None and not self.interrupted


def measure(
    hosts: Hosts,
    host: str,
    argv: Sequence[str],
    told: Callable[[Point], None],
    timeout: float | None,
) -> Measured:
    """Run a program that tells a curve on a host, and `told` of each point as it comes.

    Whatever ends this, the program is ended too, and what it has told until then is returned: with
    CheckFailed where it has failed, or taken more than `timeout` seconds, MachineError where the
    host has ended. Where it has told no curve yet these are raised, as is KeyboardInterrupt;
    CheckFailed also where it ends well and has told none.
    """
    output, interrupted, wrong = Output(), False, None
    where = f"`{argv[0]}` on host {host}"
    try:
        wrong = _run(hosts, host, argv, _Follower(output, told, where, timeout))
    except KeyboardInterrupt:
        interrupted = True
    try:
        curve = parse(_lines(output.stdout.text), where)
    except CheckFailed:
        if interrupted:
            raise KeyboardInterrupt from None
        if wrong is not None:
            raise wrong from None
        raise
    return Measured(curve, wrong, interrupted)


def _run(hosts: Hosts, host: str, argv: Sequence[str], follower: _Follower) -> LabctlError | None:
    """Run the program to its end, or end it; return what went wrong."""
    launcher = Launcher(hosts, _GRACE)
    try:
        try:
            code = follower.follow(launcher.start(host, list(argv), "curve", follower.output))
        finally:
            with shielded():
                launcher.end()
        if code == KILLED:
            _require_survival(hosts, host)
    except LabctlError as error:
        return _cause(hosts, host, error)
    return None if code == 0 else follower.failed(code)


def _cause(hosts: Hosts, host: str, error: LabctlError) -> LabctlError:
    """Return an error, or that the host has ended, of which it is then a consequence."""
    try:
        hosts.require_running(host)
    except LabctlError as ended:
        return ended
    return error


def _require_survival(hosts: Hosts, host: str) -> None:
    """Raise MachineError where the host has ended: it kills its programs before one is told so."""
    deadline = time.monotonic() + _SURVIVAL
    while True:
        hosts.require_running(host)
        if time.monotonic() >= deadline:
            return
        time.sleep(_LOOK_EVERY)


@dataclass(frozen=True)
class _Follower:
    """Tells of points as they come, until the program's end or that of its time, in seconds."""

    output: Output
    told: Callable[[Point], None]
    where: str
    timeout: float | None

    def follow(self, running: Command) -> int:
        """Return the exit code. Raises CheckFailed where the time is over."""
        began, seen = time.monotonic(), 0
        while not running.wait(_LOOK_EVERY):
            seen = _tell(self.output, seen, self.told)
            if self.timeout is not None and time.monotonic() - began > self.timeout:
                raise CheckFailed(
                    f"{self.where} did not end within {self.timeout:g} s",
                    "It was ended. Give it more time with --timeout.",
                )
        _tell(self.output, seen, self.told)
        return running.code or 0

    def failed(self, code: int) -> CheckFailed:
        said = self.output.stderr.text.strip() or f"it ended with {code}"
        return CheckFailed(f"{self.where} has failed: {said.splitlines()[-1]}", _HINT)


def _lines(text: str) -> list[str]:
    """Return the lines of a text, without a last one that was cut off."""
    lines = text.splitlines()
    if lines and not text.endswith("\n"):
        try:
            json.loads(lines[-1])
        except ValueError:
            if len(lines) > 1:
                lines.pop()
    return lines


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
