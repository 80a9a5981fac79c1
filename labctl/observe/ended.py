"""What is known of a host that ended while it was observed, and what of it may be missing. Pure."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from labctl.sequence.events import Notice, ProcessEvent

STATE = "state.json"
"""The file of the agent's that tells how the host was when it was written last."""

_SIGNALLED = 128
"""An init, as a shell, ends with this plus the signal's number where one killed its program."""


@dataclass(frozen=True)
class State:
    """What the agent has told last: `notes` are None, and so is `code`, where it was killed
    before it had written everything. Each note is what is missing, and the text."""

    interfaces: dict[int, list[str]]
    notes: list[tuple[str, str]] | None = None
    time: int | None = None
    code: int | None = None


NOTHING_TOLD = State({})


def read_state(content: bytes) -> State:
    """Return what the file says; nothing where it is none of the agent's."""
    try:
        told: dict[str, Any] = json.loads(content)
        interfaces = {int(index): list(ips) for index, ips in told["interfaces"].items()}
        if told["status"] is None:
            return State(interfaces)
        status = os.waitstatus_to_exitcode(told["status"])
        code = status if status >= 0 else _SIGNALLED - status
        notes = [(str(missing), str(text)) for missing, text in told["notes"]]
        return State(interfaces, notes, told["time"], code)
    except (ValueError, KeyError, TypeError, AttributeError):
        return NOTHING_TOLD


@dataclass(frozen=True)
class HostEnd:
    """The end of a host: when (ns since the epoch), with which exit code of its container.

    `whole` is whether the agent had written all that happened before it.
    """

    time: int | None = None
    code: int | None = None
    whole: bool = False
    out_of_memory: bool = False

    def notice(self, host: str, with_it: tuple[str, ...]) -> Notice:
        """Say that the host has ended, when and how, and whether anything is missing.

        `with_it` names what its observer was recording, which ended with it.
        """
        at = "" if self.time is None else f" at {_clock(self.time)}"
        seen = "all that happened until then was observed"
        if not self.whole:
            seen = f"its observer ended with it, so its last {' and '.join(with_it)} may be missing"
        missing = () if self.whole else with_it
        return Notice(host, f"it ended{at}{self._how}; {seen}", self.time, missing)

    @property
    def _how(self) -> str:
        if self.code is None:
            return ""
        reason = "out of memory" if self.out_of_memory else _words(self.code)
        return f" with exit code {self.code}" + (f" ({reason})" if reason else "")


def completed(
    processes: Iterable[ProcessEvent], host: str, program: int | None, end: HostEnd
) -> tuple[ProcessEvent, ...]:
    """Return the processes' events, with what the host's end tells of its own program's.

    `program` is its number, None where another may have been the last. An init ends with its
    program's code, or 128 and the number of the signal that killed it: so only what is not
    above 128 is certain to be a code, and a signal only of what is known to be killed. The
    kernel has all fatal signals that dump no core delivered as SIGKILL, which is what tracefs
    shows where it has not seen the signal sent; strace tells which it was.
    """
    told = tuple(processes)
    if program is None or end.time is None or end.code is None or end.out_of_memory:
        return told
    own = [
        event for event in told if (event.host, event.pid, event.kind) == (host, program, "exit")
    ]
    number = end.code - _SIGNALLED
    if not own and number <= 0:
        own_end = ProcessEvent(host, program, program, "exit", end.time, code=end.code)
        return tuple(sorted((*told, own_end), key=lambda event: event.time))
    name = _signal(number)
    if name is None or not any(event.signal == "SIGKILL" for event in own):
        return told
    killed = {event: replace(event, signal=name) for event in own if event.signal == "SIGKILL"}
    return tuple(killed.get(event, event) for event in told)


def _signal(number: int) -> str | None:
    try:
        return signal.Signals(number).name
    except ValueError:
        return None


def _words(code: int) -> str | None:
    name = _signal(code - _SIGNALLED)
    return None if name is None else f"{_SIGNALLED} + {code - _SIGNALLED}: {name}"


def _clock(time: int) -> str:
    seconds, rest = divmod(time, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S}.{rest // 1_000_000:03d} UTC"
