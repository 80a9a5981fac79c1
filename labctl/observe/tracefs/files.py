"""Which socket a descriptor stands for, as far as it takes to know whose an address is. Pure.

Calls only point at addresses, but other events tell them of the socket that a call is at work
on. So an address that a later call tells belongs to the earlier one that named the socket.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from labctl.sequence.events import Endpoint

if TYPE_CHECKING:
    from labctl.observe.tracefs.tasks import RawCall

_F_DUPFD, _F_SETFD, _F_DUPFD_CLOEXEC = 0, 2, 1030
_CLOEXEC = 0o2000000
_CLOSE_RANGE_CLOEXEC = 4


@dataclass(eq=False, slots=True)
class RawSocket:
    """A socket: the call that made it, and the one that bound it.

    `since` is when the kernel said that it listens, None where it did not say.
    """

    made: RawCall
    bound: RawCall | None = None
    listener: RawSocket | None = None
    listening: bool = False
    since: int | None = None
    accepts: list[RawCall] = field(default_factory=list)
    local: Endpoint | None = None
    remote: Endpoint | None = None


class Files:
    """The descriptors of a process that stand for sockets."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[RawSocket, bool]] = {}

    def copy(self) -> Files:
        """Return the table of a child."""
        child = Files()
        child._open = dict(self._open)
        return child

    def find(self, fd: int) -> RawSocket | None:
        """Return the socket that a descriptor stands for."""
        found = self._open.get(fd)
        return found[0] if found else None

    def executed(self) -> None:
        """Close what is to be closed when another program is executed."""
        self._open = {fd: entry for fd, entry in self._open.items() if not entry[1]}

    def entered(self, call: RawCall) -> None:
        """Note what a call does as soon as it is entered: close frees its number at once."""
        values = call.values
        if call.name == "close" and values:
            self._open.pop(values[0], None)
        elif call.name == "close_range" and len(values) > 2:
            for fd in [fd for fd in self._open if values[0] <= fd <= values[1]]:
                if values[2] & _CLOSE_RANGE_CLOEXEC:
                    self._open[fd] = (self._open[fd][0], True)
                else:
                    del self._open[fd]

    def returned(self, call: RawCall) -> None:
        """Note what a call that succeeded has done."""
        note = _NOTES.get(call.name)
        if note is not None:
            note(self, call)

    def _socket(self, call: RawCall) -> None:
        flags = call.values[1] if len(call.values) > 1 else 0
        self._open[call.result] = (RawSocket(call), bool(flags & _CLOEXEC))

    def _accept(self, call: RawCall) -> None:
        flags = call.values[3] if len(call.values) > 3 else 0
        made = RawSocket(call, listener=call.socket)
        self._open[call.result] = (made, bool(flags & _CLOEXEC))
        if call.socket:
            call.socket.accepts.append(call)

    def _bind(self, call: RawCall) -> None:
        if call.socket:
            call.socket.bound = call

    def _listen(self, call: RawCall) -> None:
        if call.socket:
            call.socket.listening = True

    def _dup(self, call: RawCall) -> None:
        flags = call.values[2] if call.name == "dup3" and len(call.values) > 2 else 0
        self._duplicate(call, bool(flags & _CLOEXEC))

    def _fcntl(self, call: RawCall) -> None:
        match list(call.values):
            case [_, command, *_] if command in (_F_DUPFD, _F_DUPFD_CLOEXEC):
                self._duplicate(call, command == _F_DUPFD_CLOEXEC)
            case [fd, command, flags, *_] if command == _F_SETFD and fd in self._open:
                self._open[fd] = (self._open[fd][0], bool(flags & 1))

    def _duplicate(self, call: RawCall, cloexec: bool) -> None:
        # A number of something else is put in the place of what it stood for.
        self._open.pop(call.result, None)
        if call.socket:
            self._open[call.result] = (call.socket, cloexec)


_NOTES = {
    "socket": Files._socket,
    "accept": Files._accept,
    "accept4": Files._accept,
    "bind": Files._bind,
    "listen": Files._listen,
    "dup": Files._dup,
    "dup2": Files._dup,
    "dup3": Files._dup,
    "fcntl": Files._fcntl,
}
