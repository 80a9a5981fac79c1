"""When a host is ready: its health check succeeds; it has none and keeps running; it ended with 0.

The health check's command is run by labctl itself, again and again with growing pauses,
so that nobody waits for the engine's own interval; what the engine finds meanwhile
counts as well.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from docker.errors import APIError, NotFound

from labctl.engine import execs
from labctl.engine.client import Engine, refused
from labctl.engine.deadline import within
from labctl.errors import HostFailed

Progress = Callable[[str, str], None]
"""Is told a host's name and what has become of it: created, started, ready, done, ended."""

_FIRST_NAP = 0.03
_LONGEST_NAP = 1.0
_LOG_LINES = 15
_STEADY = 0.25
"""Seconds that a host without a health check must be seen running: many a program that
cannot work ends at once, and is no ready host."""


@dataclass(frozen=True)
class Waiting:
    """A host to wait for: its container and the health check that the lab gives it."""

    host: str
    container: str
    health: Sequence[str] | None
    may_end: bool = False
    """Whether it is no failure when it ends with another exit code than 0."""


def probe(test: Sequence[str] | str | None) -> list[str] | None:
    """Return the command of a health check's `test` (compose-spec), or None for no check."""
    if not test:
        return None
    if isinstance(test, str):
        return ["/bin/sh", "-c", test]
    kind, *rest = test
    if kind == "CMD":
        return list(rest)
    return ["/bin/sh", "-c", *rest] if kind == "CMD-SHELL" else None


def wait(engine: Engine, waiting: Iterable[Waiting], timeout: float, progress: Progress) -> None:
    """Return when every host is ready.

    Raises HostFailed, with the host's last log lines, when one ends with another exit code
    than 0 or is not ready within `timeout` seconds.
    """
    end = _End(time.monotonic() + timeout, timeout, threading.Event())
    pool = ThreadPoolExecutor(engine.at_once)
    try:
        tasks = {pool.submit(_wait_one, engine, host, end): host for host in waiting}
        for task in as_completed(tasks):
            progress(tasks[task].host, task.result())
    finally:
        end.given_up.set()
        pool.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class _End:
    """When waiting ends: at a deadline, or as soon as another host has failed."""

    deadline: float
    timeout: float
    given_up: threading.Event


def _wait_one(engine: Engine, host: Waiting, end: _End) -> str:
    nap = _FIRST_NAP
    last = ""
    seen_running: float | None = None
    while True:
        with refused(f"looking at host {host.host}"):
            state, health = _look(engine, host)
        if not state["Running"]:
            ended = _ended(engine, host, state)
            if ended:
                return ended
        elif health is None:
            now = time.monotonic()
            seen_running = seen_running or now
            if now - seen_running >= _STEADY:
                return "ready"
            nap = _STEADY / 2
        elif (state.get("Health") or {}).get("Status") == "healthy":
            return "ready"
        else:
            succeeded, last = _probe_within(engine, host.container, health, end, last)
            if succeeded:
                return "ready"
        if time.monotonic() + nap > end.deadline:
            why = last or "it has not started"
            raise failed(engine, host, f"was not ready after {end.timeout:g} seconds: {why}")
        if end.given_up.wait(nap):
            return "given up"
        nap = min(nap * 1.6, _LONGEST_NAP)


def _look(engine: Engine, host: Waiting) -> tuple[dict[str, Any], list[str] | None]:
    details = engine.sdk.api.inspect_container(host.container)
    told = (details["Config"].get("Healthcheck") or {}).get("Test") or host.health
    return details["State"], probe(told)


def _ended(engine: Engine, host: Waiting, state: dict[str, Any]) -> str | None:
    """Return `done` for a host that has ended well, None for one that is still to start."""
    if state.get("Error"):
        raise failed(engine, host, f"could not be started: {state['Error']}")
    if state["Status"] in ("created", "restarting"):
        return None
    if state["ExitCode"] == 0:
        return "done"
    if host.may_end:
        return "ended"
    killed = " (out of memory)" if state.get("OOMKilled") else ""
    raise failed(engine, host, f"ended with exit code {state['ExitCode']}{killed}")


def _probe_within(
    engine: Engine, container: str, command: list[str], end: _End, before: str
) -> tuple[bool, str]:
    """Run a health check; return whether it succeeded, and what it said.

    Where the deadline cuts it, what the one `before` said tells more, if there was one.
    """
    left = max(_FIRST_NAP, end.deadline - time.monotonic())
    try:
        return within(left, lambda: _probe_once(engine, container, command), end.given_up)
    except TimeoutError:
        return False, before or f"its health check ({' '.join(command)}) does not end"


def _probe_once(engine: Engine, container: str, command: list[str]) -> tuple[bool, str]:
    """Run a health check once; return whether it succeeded, and what it said."""
    try:
        code, out, err = execs.run(engine, container, command)
    except NotFound:
        return False, "it is gone"
    except APIError as error:  # the host ended between the look and the probe
        return False, str(error.explanation)
    words = (out + err).decode(errors="replace").strip().splitlines()
    return code == 0, f"its health check ({' '.join(command)}) ends with {code}" + (
        f": {words[-1]}" if words else ""
    )


def failed(engine: Engine, host: Waiting, what: str) -> HostFailed:
    """Return the error for a host that failed, with its last log lines."""
    return HostFailed(
        f"host {host.host} {what}{log_tail(engine, host.container)}",
        "Mend its command or its health check in the lab file; `--keep` leaves the lab as it "
        "is, so that `labctl logs` and `labctl shell` can look.",
    )


def log_tail(engine: Engine, container: str) -> str:
    """Return a container's last log lines, indented, for the end of an error message."""
    try:
        said = engine.sdk.api.logs(container, tail=_LOG_LINES).decode(errors="replace")
    except (APIError, OSError):
        return ""
    lines = [line.rstrip() for line in said.splitlines() if line.strip()]
    if not lines:
        return "; it has logged nothing"
    return "; its last log lines:\n" + "\n".join(f"    {line}" for line in lines)
