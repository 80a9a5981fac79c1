"""Reads what a host's agent has written."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from labctl.errors import MachineError
from labctl.observe.sockets import snapshot
from labctl.observe.sockets.model import Snapshot
from labctl.observe.steps import words
from labctl.observe.steps.model import Frame, StepCall

NAME_SERVER = ("127.0.0.11", 53)
"""Where the engine answers a host's questions for names."""


def frames_of(host: str, content: bytes, everything: bool = False) -> list[Frame]:
    """Return a host's frames, in their order, each with the one before it.

    Without `everything` questions to the engine's name server are left out. The last line may
    be cut: the agent was killed with its host. Raises MachineError where the rest makes no
    sense.
    """
    lines: dict[int, Mapping[str, Any]] = {}
    for line in content.split(b"\n")[:-1]:
        try:
            told = json.loads(line)
            lines[told["frame"]] = told
        except (ValueError, KeyError, TypeError) as error:
            raise _unknown(host, error) from error
    try:
        frames = [_frame(host, told) for _, told in sorted(lines.items())]
        frames.sort(key=lambda frame: frame.time)  # what a process became is told late
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise _unknown(host, error) from error
    return list(_joined(frames if everything else _without_lookups(frames)))


def _without_lookups(frames: list[Frame]) -> list[Frame]:
    """Leave out the calls on sockets through which the engine's name server was asked."""
    calls = [frame.call for frame in frames if frame.call is not None]
    asked = {one.socket for one in calls if words.endpoint(one) == NAME_SERVER} - {None}
    return [frame for frame in frames if frame.call is None or frame.call.socket not in asked]


def _unknown(host: str, error: Exception) -> MachineError:
    return MachineError(
        f"the film of host {host} is in an unknown form: {error}",
        "Is the observer's image that of this labctl? `labctl images build` makes it anew.",
    )


def _frame(host: str, told: Mapping[str, Any]) -> Frame:
    return Frame(
        host=host,
        event=told["event"],
        pid=told["pid"],
        tid=told["tid"],
        snapshot=snapshot.read(host, told),
        call=_call(told) if "call" in told else None,
        times=told["times"],
        moved=told["moved"],
        status=told.get("status"),
    )


def _call(told: Mapping[str, Any]) -> StepCall:
    memory = {name: base64.b64decode(block) for name, block in told["memory"].items()}
    return StepCall(told["call"], tuple(told["args"]), memory, told.get("result"), told["on"])


def _joined(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Yield the frames with what is to be shown of them only, and the one before each."""
    seen: set[str] = set()
    known: set[int] = set()
    before: Snapshot | None = None
    for frame in frames:
        shown = _shown(frame, seen, known)
        yield replace(frame, snapshot=shown, before=before)
        before = shown


def _shown(frame: Frame, seen: set[str], known: set[int]) -> Snapshot:
    """Return the processes that have or had sockets, that of the frame, and their sockets.

    `known` are the processes of earlier frames, `seen` the keys of their sockets: those are
    shown also when no process has them any more. So are connections that wait for an accept
    that will return them.
    """
    whole = frame.snapshot
    known |= {one.pid for one in whole.processes if one.has_socket or one.pid == frame.pid}
    processes = tuple(one for one in whole.processes if one.pid in known)
    shown = replace(whole, processes=processes, sockets=())
    held = [one for one in whole.sockets if one.inode in shown.holders]
    ports = {one.local.port for one in held if one.state == "LISTEN"}
    seen.update(one.key for one in held)
    free = [
        one
        for one in whole.unheld
        if one.inode == 0 and (one.key in seen or (one.awaits_accept and one.local.port in ports))
    ]
    return replace(shown, sockets=(*held, *free))
