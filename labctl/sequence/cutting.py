"""Ends a recording at one moment on all hosts, which stopped recording one after another. Pure.

What one host recorded after another had stopped would look like something that the other failed
to do. So it is left out, and what it was part of is remembered: it went on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from labctl.sequence.events import Call
from labctl.sequence.recording import Pair, Recording

_GIVING = frozenset({"accept", "accept4", "recvfrom", "recvmsg", "recvmmsg"})
"""Calls that tell an address as they return."""
_TAKING = _GIVING | {"read", "readv", "recv"}
_DATA = frozenset({"data", "messages", "descriptors"})
_PEER = frozenset({"address", "family"})
_EVENTS = frozenset({"events"})
_READY = frozenset({"ready"})
"""Arguments that are known only once a call of some kind has returned."""


def cut(recording: Recording, at: int) -> Recording:
    """Return what had happened by a time, in ns since the epoch.

    A call that returned later has not returned; a packet that was under way arrives.
    """
    return replace(
        recording,
        calls=tuple(_by(call, at) for call in recording.calls if call.start <= at),
        segments=tuple(one for one in recording.segments if one.time <= at),
        states=tuple(change for change in recording.states if change.time <= at),
        processes=tuple(event for event in recording.processes if event.time <= at),
        went_on=frozenset(_later(recording, at)),
    )


def _later(recording: Recording, at: int) -> Iterator[Pair]:
    for segment in recording.segments:
        if segment.time > at:
            yield frozenset((segment.source, segment.target))
    for change in recording.states:
        if change.time > at:
            yield frozenset((change.local, change.remote))


def _by(call: Call, at: int) -> Call:
    if call.end is None or call.end <= at:
        return call
    hidden: frozenset[str] = _READY
    if call.name in _TAKING:
        hidden = _DATA | _PEER if call.name in _GIVING else _DATA
    elif call.name.startswith("epoll"):
        hidden = _EVENTS
    args = {name: value for name, value in call.args.items() if name not in hidden}
    return replace(call, end=None, result=None, errno=None, args=args)
