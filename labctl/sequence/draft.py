"""Connections while they are put together, before they are numbered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from labctl.sequence.connection import Connection, Side, Socket
from labctl.sequence.descriptor_table import Kernel
from labctl.sequence.descriptors import Rebuilt
from labctl.sequence.events import Call, Endpoint, Segment, StateChange


@dataclass(eq=False, slots=True)
class End:
    """One end of a connection in the making."""

    host: str | None
    endpoint: Endpoint | None
    socket: Kernel | None = None
    calls: list[Call] = field(default_factory=list)

    def final(self, sockets: dict[int, Socket]) -> Side:
        socket = sockets[self.socket.id] if self.socket else None
        return Side(self.host, self.endpoint, socket, tuple(self.calls))


@dataclass(eq=False, slots=True)
class Draft:
    """A connection in the making."""

    protocol: str
    client: End
    server: End
    outcome: str
    segments: list[Segment] = field(default_factory=list)
    states: list[StateChange] = field(default_factory=list)
    begin: int = 0
    """When its first segment was sent, or the call that opened it was made."""

    def final(self, number: int, sockets: dict[int, Socket]) -> Connection:
        return Connection(
            number,
            self.protocol,
            self.client.final(sockets),
            self.server.final(sockets),
            tuple(self.segments),
            tuple(self.states),
            self.outcome,
        )


class CallsOf:
    """The calls of each socket, in the order in which they were made, by its `id`.

    Among them are those that name it beside others: fork, poll, epoll_wait.
    """

    def __init__(self, rebuilt: Rebuilt) -> None:
        self._numbers: dict[int, list[int]] = defaultdict(list)
        self._calls = rebuilt.calls
        for number in rebuilt.entered:
            call = rebuilt.calls[number]
            if call.socket is not None:
                self._numbers[call.socket].append(number)
            for socket in rebuilt.named.get(number, ()):
                if socket.id != call.socket:
                    self._numbers[socket.id].append(number)

    def __getitem__(self, socket: int) -> list[Call]:
        return [self._calls[number] for number in self._numbers.get(socket, ())]

    def sockets(self) -> Iterable[int]:
        return self._numbers
