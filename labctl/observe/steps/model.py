"""A film of descriptor tables and sockets: one frame after each call, on all hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from labctl.observe.sockets.changes import Change, changes
from labctl.observe.sockets.model import Descriptor, KernelSocket, Process, Snapshot
from labctl.sequence.verbs import verb


@dataclass(frozen=True)
class StepCall:
    """A system call: the arguments as its registers hold them, and what some of them point at.

    `memory` has `address` (a struct sockaddr), `data` (the first bytes that are sent or were
    received), `value` (of an option), where they are known. `result` is -errno where it failed,
    None as long as the call has not returned.
    """

    name: str
    arguments: tuple[int, ...]
    memory: Mapping[str, bytes] = field(default_factory=dict)
    result: int | None = None
    socket: int | None = None
    """The inode of the socket that it names first, or makes."""

    @property
    def verb(self) -> str:
        """The textbook's word for it: `accept` for accept4, `recv` for recvfrom and read."""
        return verb(self.name)


@dataclass(frozen=True, repr=False)
class Frame:
    """What the stepped processes of a host hold at one moment, and the call that led to it.

    `event` is `exec` (the process has become a program), `call` (a call has returned), `waits`
    (a call has not returned for 0.25 s) or `ended` (the process has; `status` is its exit code,
    or -n after signal n). The same call made `times` times in a row, for example recv on one
    socket, is one frame; `moved` is how many bytes that were, and `snapshot` from after the last.
    """

    host: str
    event: str
    pid: int
    tid: int
    snapshot: Snapshot
    call: StepCall | None = None
    times: int = 1
    moved: int = 0
    status: int | None = None
    before: Snapshot | None = None
    """What the host's frame before shows; None in its first."""

    def __repr__(self) -> str:
        what = self.event if self.call is None else f"{self.call.name} {self.call.arguments}"
        return f"<frame {self.host} {self.pid} {self.event}: {what} = {self.result}>"

    @property
    def time(self) -> int:
        """Nanoseconds since 1970."""
        return self.snapshot.time

    @property
    def does(self) -> str:
        """What happens, in a word: the verb of the call that has returned, else the event."""
        return self.call.verb if self.event == "call" and self.call else self.event

    @property
    def failed(self) -> bool:
        return self.call is not None and self.call.result is not None and self.call.result < 0

    @property
    def result(self) -> int | None:
        """What the call has returned."""
        return None if self.call is None else self.call.result

    @property
    def table(self) -> dict[int, Descriptor]:
        """The descriptor table of the process that made the call."""
        found = [one for one in self.snapshot.processes if one.pid == self.pid]
        return {entry.fd: entry for one in found for entry in one.descriptors}

    def socket(self, fd: int | None) -> KernelSocket | None:
        """Return the structure behind a descriptor of that process, None where there is none."""
        entry = None if fd is None else self.table.get(fd)
        behind = entry is not None and entry.kind == "socket" and entry.inode is not None
        return self.snapshot.held.get(entry.inode or 0) if behind and entry else None

    @property
    def process(self) -> Process | None:
        """The process that made the call, unless it has gone."""
        found = self.snapshot.processes + (self.before.processes if self.before else ())
        return next((one for one in found if one.pid == self.pid), None)

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """What differs from the host's frame before."""
        return () if self.before is None else changes(self.before, self.snapshot)


@dataclass(frozen=True, repr=False)
class Film:
    """The frames of all hosts in the order of time; `notes` tell what is missing, and why."""

    title: str
    frames: tuple[Frame, ...]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<film {self.title}: {len(self.frames)} frames>"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that frames are of, in the order of their first."""
        return tuple(dict.fromkeys(frame.host for frame in self.frames))

    def of(self, host: str, does: str | None = None) -> tuple[Frame, ...]:
        """Return the frames of a host; with `does`, those after calls of this verb that did not
        fail, or of this event."""
        return tuple(
            frame
            for frame in self.frames
            if frame.host == host and (does is None or (frame.does == does and not frame.failed))
        )
