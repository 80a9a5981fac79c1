"""What a tracer has seen on all hosts."""

from __future__ import annotations

from dataclasses import dataclass

from labctl.sequence.events import Call, Notice, OpenSocket, ProcessEvent, StateChange
from labctl.sequence.processor import Processor


@dataclass(frozen=True)
class Traced:
    """Each kind of event in the order of time, of calls by `start`."""

    calls: tuple[Call, ...] = ()
    processes: tuple[ProcessEvent, ...] = ()
    states: tuple[StateChange, ...] = ()
    open_sockets: tuple[OpenSocket, ...] = ()
    notices: tuple[Notice, ...] = ()
    processor: tuple[Processor, ...] | None = None
    """What each process had of the processors, where every call was wished and it can be told."""
