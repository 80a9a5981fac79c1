"""Changes of TCP states, and on which host each was. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from labctl.observe.tracefs import ends
from labctl.observe.tracefs.lines import Line
from labctl.sequence.events import Endpoint, StateChange


@dataclass(eq=False, slots=True)
class RawState:
    """A change of state; `context` is the host of the followed thread that did it, if one did."""

    time: int
    cpu: int
    context: str | None
    local: Endpoint
    remote: Endpoint
    old: str
    new: str
    host: str | None = None


def read(line: Line, context: str | None) -> RawState | None:
    """Read an event inet_sock_set_state; None where it is not as expected, or not of TCP."""
    found = ends.of_socket(line.text)
    if found is None or not found.old:
        return None
    return RawState(line.time, line.cpu, context, *found)


def placed(states: Iterable[RawState], addresses: Mapping[str, str]) -> list[RawState]:
    """Return those of the lab's hosts, `host` filled in.

    It is the host that has the local address. Of addresses that every host has (loopback,
    wildcards) it is the host of the thread that did it, or did it to the other end; where that
    is not known, or where two hosts have such a connection, the change is left out.
    """
    states = list(states)
    inner: dict[frozenset[Endpoint], set[str]] = {}
    for state in states:
        state.host = addresses.get(state.local.address, state.context)
        if state.context and _everywhere(state.local.address):
            inner.setdefault(frozenset((state.local, state.remote)), set()).add(state.context)
    for state in states:
        if state.host is None and _everywhere(state.local.address):
            hosts = inner.get(frozenset((state.local, state.remote)), set())
            state.host = next(iter(hosts)) if len(hosts) == 1 else None
    return [state for state in states if state.host]


def final(states: Iterable[RawState]) -> tuple[StateChange, ...]:
    """Return the events."""
    return tuple(
        StateChange(s.host, s.time, s.local, s.remote, s.old, s.new) for s in states if s.host
    )


def _everywhere(address: str) -> bool:
    return address.startswith("127.") or address in ("::1", "0.0.0.0", "::")
