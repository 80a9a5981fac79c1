"""Has many hosts begin at one moment, and waits until all have ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from labctl.engine import inside
from labctl.engine.client import Engine
from labctl.engine.live import LiveLab
from labctl.engine.output import Output
from labctl.engine.running import Running
from labctl.errors import CheckFailed, MachineError

Command = Callable[[float], Sequence[str]]
"""The command of one host, for the moment (seconds since 1970) at which it is to begin."""

_LEAD = 1.0
"""Seconds from the first start to the common beginning, besides those that starting takes."""
_STARTS_AT_ONCE = 2
_LOADING = 1.5
"""Seconds that a program has to load, from its start to the common beginning, at least."""
_ATTEMPTS = 3
_NAP = 0.02

_Result = TypeVar("_Result")


def together(
    engine: Engine,
    lab: LiveLab,
    commands: Mapping[str, Command],
    timeout: float,
    before: Callable[[], _Result],
) -> tuple[float, _Result]:
    """Run a command on each host, all from one moment on, and return once all have ended.

    Returns that moment, by the hosts' clock, and what `before` returned, which is called before
    the first is started: once more where starting took too long and is tried again.
    Raises CheckFailed where one fails, or does not end within `timeout` seconds, MachineError
    where the machine is too busy to start them in time.
    """
    lead = 0.0
    for attempt in range(_ATTEMPTS):
        told = before()
        asked = time.monotonic()
        now = clock(engine, lab, next(iter(commands)))
        took = time.monotonic() - asked  # as long as starting one command takes now
        loading = max(_LOADING, 2 * took)
        starting = took * (1 + len(commands) / _STARTS_AT_ONCE)
        lead = loading + (_LEAD + starting) * 2**attempt
        due = asked + took + lead
        started = _start(engine, lab, commands, now + lead)
        if _all_started(started, due - loading):
            _wait(started, due + timeout)
            return now + lead, told
        _end(engine, lab, started)
    raise MachineError(
        f"{len(commands)} hosts could not be started within {lead:.0f} s, to begin together",
        "The machine is too busy: try again, or with fewer peers.",
    )


def clock(engine: Engine, lab: LiveLab, host: str) -> float:
    """Return what time it is on a host, in seconds since 1970."""
    return float(inside.run(engine, lab.host(host), ["date", "+%s.%N"]).stdout)


_Started = Mapping[str, tuple[Running, Output, Sequence[str]]]


def _start(engine: Engine, lab: LiveLab, commands: Mapping[str, Command], begin: float) -> _Started:
    started = {}
    for host, command in commands.items():
        argv, output = command(begin), Output()
        started[host] = (Running(engine, lab.host(host), argv, {}, output), output, argv)
    return started


def _all_started(started: _Started, deadline: float) -> bool:
    while True:
        if all(running.pid is not None or _failed(running) for running, _, _ in started.values()):
            return time.monotonic() <= deadline
        if time.monotonic() > deadline:
            return False
        time.sleep(_NAP)


def _failed(running: Running) -> bool:
    return running.wait(0)  # raises where it could not be started at all


def _wait(started: _Started, deadline: float) -> None:
    for host, (running, output, argv) in started.items():
        what = f"on host {host}: `{' '.join(argv)}`"
        if not running.wait(max(deadline - time.monotonic(), 0)):
            raise CheckFailed(
                f"{what} did not end in time", "Is the file too large for the links' rate?"
            )
        if running.code != 0:
            said = (output.stderr.text or output.stdout.text).strip().splitlines()
            raise CheckFailed(
                f"{what} ended with {running.code}: {said[-1] if said else 'it said nothing'}",
                "Its words tell why. `labctl up distribution` brings the lab up, for a look.",
            )


def _end(engine: Engine, lab: LiveLab, started: _Started) -> None:
    for host, (running, _, _) in started.items():
        running.settle(10.0)
        if running.pid is not None:
            inside.run(engine, lab.host(host), ["sh", "-c", f"kill -TERM {running.pid}; true"])
            running.wait(10.0)
