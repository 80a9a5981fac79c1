"""Waits until a step's conditions hold, each looked at again and again until it does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from labctl.engine.inside import TimedOut
from labctl.lab import model
from labctl.play import probes, procnet
from labctl.play.hosts import Hosts

_SHORTEST_NAP = 0.02
_LONGEST_NAP = 0.4
_SHORTEST_LOOK = 1.0
"""Seconds that a look may take even when hardly any time is left."""


def of(
    when: model.Condition,
    hosts: Hosts,
    earlier: Mapping[str, probes.Earlier],
    start: probes.Start,
) -> list[probes.Condition]:
    """Return the conditions that a step's `when` names, the cheapest to look at first."""
    found: list[probes.Condition] = []
    if when.ended is not None:
        found.append(probes.Ended(earlier[when.ended]))
    if when.output is not None:
        found.append(probes.Printed(earlier[when.output.step], when.output.contains))
    if when.listening is not None:
        found.append(probes.Listening(hosts, *_port(when.listening)))
    if when.file is not None:
        host, _, path = when.file.partition(":")
        found.append(probes.FileThere(hosts, host, path))
    if when.succeeds is not None:
        found.append(probes.Succeeds(start, when.succeeds.host, when.succeeds.run))
    return found


def wait(
    conditions: Sequence[probes.Condition],
    timeout: float,
    broken: Callable[[], bool] = lambda: False,
) -> str | None:
    """Return None once each has held, otherwise what did not hold and what was seen last.

    `timeout` in seconds is for all together. `broken` is asked between looks; when it says
    so the wait ends at once.
    """
    began = time.monotonic()
    deadline = began + timeout
    for condition in conditions:
        seen = None
        for nap in _naps():
            seen = _look(condition, max(deadline - time.monotonic(), _SHORTEST_LOOK), seen)
            if seen.holds:
                break
            if seen.hopeless:
                return f"it waited for: {condition.words}; but {seen.what}"
            if broken():
                return f"it waited for: {condition.words}; last seen: {seen.what}"
            left = deadline - time.monotonic()
            if left <= 0:
                waited = time.monotonic() - began
                return f"after {waited:.1f} s still not: {condition.words}; last seen: {seen.what}"
            time.sleep(min(nap, left))
    return None


def _look(condition: probes.Condition, timeout: float, before: probes.Seen | None) -> probes.Seen:
    """Look once; a look that takes too long has shown nothing, and the one before it counts."""
    try:
        return condition.look(timeout)
    except TimedOut as error:
        return before or probes.Seen(False, error.message)


def _naps() -> Iterator[float]:
    nap = _SHORTEST_NAP
    while True:
        yield nap
        nap = min(nap * 1.5, _LONGEST_NAP)


def _port(told: str) -> tuple[str, int, procnet.Transport]:
    host, _, rest = told.partition(":")
    port, _, transport = rest.partition("/")
    return host, int(port), "udp" if transport == "udp" else "tcp"
