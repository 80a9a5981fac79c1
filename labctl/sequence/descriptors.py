"""Rebuilds the descriptor tables of all processes from their calls.

What comes out: which socket each call was on, and what each socket was. See
`labctl.sequence.effects` for the order in which calls change the tables, and
`labctl.sequence.changes` for what each call changes.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from labctl.sequence import arguments, effects
from labctl.sequence.changes import Step, change_of
from labctl.sequence.descriptor_table import Entry, Kernel, Table
from labctl.sequence.events import Call, OpenSocket
from labctl.sequence.processes import COARSE, Process, Processes
from labctl.sequence.recording import Recording
from labctl.sequence.verbs import FAMILIES, verb

_NO_SOCKET = frozenset({"EBADF", "ENOTSOCK"})

_MAKING = frozenset({"socket", "socketpair"})

_NETWORK_ONLY = frozenset(
    call
    for name in (
        *("accept", "bind", "connect", "listen", "shutdown", "send", "recv"),
        *("getsockname", "getpeername", "getsockopt", "setsockopt"),
    )
    for call in FAMILIES[name]
) - {"read", "readv", "write", "writev", "sendfile", "sendfile64"}
"""Calls that succeed on nothing but sockets."""


Message = tuple[Kernel | None, list[Kernel | None]]


@dataclass(slots=True)
class Rebuilt:
    """`calls` have their socket; `named` has further sockets of those that name several.

    `entered` has the numbers of the calls in the order in which they were made, also where
    clocks contradict it a little.
    """

    calls: tuple[Call, ...]
    entered: list[int]
    sockets: list[Kernel]
    named: dict[int, tuple[Kernel, ...]]
    processes: Processes


def rebuild(recording: Recording) -> Rebuilt:
    """Return the sockets of a recording, and its calls with the socket that each was on."""
    return Rebuild(recording).run()


class Rebuild:
    """The tables while they are rebuilt, at one moment of the recording."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.calls = recording.calls
        self.processes = Processes(recording)
        self.tolerance = COARSE if recording.tracer == "tracefs" else 0
        self.tables: dict[Process, Table] = defaultdict(Table)
        self.sockets: list[Kernel] = []
        self.socket_of: dict[int, Kernel] = {}
        self.last: set[int] = set()
        self.named: dict[int, tuple[Kernel, ...]] = {}
        self.held: dict[int, list[Kernel]] = {}
        """Of calls that have not returned yet: the sockets whose descriptors they will give."""
        self.on_the_way: dict[tuple[str, int], list[Message]] = {}
        """Descriptors in messages, by host and how many are in one: the sender, the sockets."""

    def run(self) -> Rebuilt:
        entered: list[int] = []
        self._start(self.recording.open_sockets)
        for effect in effects.in_order(self.recording, self.processes):
            if effect.rank == effects.ENTER:
                entered.append(effect.number)
                self._enter(effect.number)
            elif effect.rank == effects.LEAVE:
                self._leave(effect.number)
            elif effect.rank == effects.FORK:
                self._fork(effect.number)
            else:
                event = self.recording.processes[effect.number]
                end = self.execute if effect.rank == effects.EXEC else self._exit
                end(event.host, event.pid, event.time)
        return Rebuilt(self._finished(), entered, self._real(), self.named, self.processes)

    def _start(self, found: tuple[OpenSocket, ...]) -> None:
        by_inode: dict[tuple[str, int], Kernel] = {}
        for one in found:
            socket = by_inode.get((one.host, one.inode))
            if socket is None:
                socket = self.make(one.host, one.family, one.type, None)
                socket.local, socket.remote = one.local, one.remote
                socket.listening = one.state == "LISTEN"
                socket.guessed = True
                by_inode[one.host, one.inode] = socket
            self.tables[one.host, one.pid].put(one.fd, Entry(socket, False), one.pid)

    def make(self, host: str, family: str, kind: str, born: int | None) -> Kernel:
        """Return a new socket."""
        socket = Kernel(len(self.sockets) + 1, host, family, kind, born)
        self.sockets.append(socket)
        return socket

    def find(self, call: Call, fd: int | None) -> Kernel | None:
        """Return the socket that a descriptor stood for when a call was entered."""
        if fd is None:
            return None
        table = self.tables[call.host, call.pid]
        socket = table.find(fd, call.start)
        if socket is None and call.name in _NETWORK_ONLY and call.result is not None:
            socket = self._unseen(call)
            table.put(fd, Entry(socket, False), call.pid)
        return socket

    def _unseen(self, call: Call) -> Kernel:
        """Return a socket that only shows in a call on it: it was made before the recording."""
        family = arguments.word(call, "family")
        address = arguments.endpoint(call)
        if address is not None:
            family = "AF_INET6" if ":" in address.address else "AF_INET"
        stream = verb(call.name) in ("accept", "listen")
        socket = self.make(call.host, family, "SOCK_STREAM" if stream else "", None)
        socket.guessed = True
        return socket

    def _enter(self, number: int) -> None:
        call = self.calls[number]
        if call.errno in _NO_SOCKET:
            return
        if verb(call.name) not in _MAKING:
            socket = self.find(call, call.fd)
            if socket is not None:
                socket.used = True
                self.socket_of[number] = socket
        change = change_of(call)
        if change is not None and change.enter is not None:
            change.enter(Step(self, self.tables[call.host, call.pid], number, call))

    def _leave(self, number: int) -> None:
        call = self.calls[number]
        change = change_of(call)
        if change is not None and change.leave is not None and not call.failed:
            change.leave(Step(self, self.tables[call.host, call.pid], number, call))

    def give(self, fd: int, socket: Kernel, call: Call, cloexec: bool) -> None:
        """Note that a call returned a descriptor of a socket."""
        table = self.tables[call.host, call.pid]
        table.put(fd, Entry(socket, cloexec, call.tid, call.end or call.start), call.pid)

    def drop(self, socket: Kernel, time: int) -> bool:
        """Take one reference away, at a time; tell whether the socket is released for good."""
        socket.references -= 1
        if socket.references > 0 or socket.released is not None:
            return False
        socket.released = time
        return True

    def free(self, table: Table, fd: int, call: Call) -> tuple[Kernel | None, bool]:
        """Take a descriptor out of a table; return its socket, and whether that is released."""
        entry = table.take(fd, call.start, call.end, call.tid, self.tolerance)
        if entry is None:
            return None, False
        end = call.end if call.end is not None else call.start
        return entry.socket, self.drop(entry.socket, end)

    def _fork(self, number: int) -> None:
        fork = self.processes.forks[number]
        if fork.thread:
            return
        parent, child = (fork.host, fork.pid), (fork.host, fork.child)
        table = self.tables[parent]
        if child in self.tables and self.tables[child] is not table:
            self._exit(*child, fork.earliest)
        if fork.shares:
            table.owners.update((fork.pid, fork.child))
            self.tables[child] = table
        else:
            self.tables[child] = table.copy(fork.child)
        inherited = {entry.socket.id: entry.socket for entry in table.entries.values()}
        for socket in inherited.values():
            socket.holders.setdefault(fork.child)
        if fork.call is not None:
            self.named[fork.call] = tuple(inherited.values())

    def unshare(self, host: str, pid: int) -> Table:
        """Give a process a table of its own, as execve(2) and close_range(2) do."""
        table = self.tables[host, pid]
        if len(table.owners) > 1:
            table.owners.discard(pid)
            table = self.tables[host, pid] = table.copy(pid)
        return table

    def execute(self, host: str, pid: int, time: int) -> None:
        """Do what execve does to descriptors: those with FD_CLOEXEC are closed."""
        table = self.unshare(host, pid)
        for fd in [fd for fd, entry in table.entries.items() if entry.cloexec]:
            self.drop(table.entries.pop(fd).socket, time)

    def _exit(self, host: str, pid: int, time: int) -> None:
        table = self.tables.pop((host, pid), None)
        if table is None:
            return
        table.owners.discard(pid)
        if not table.owners:
            for entry in [*table.entries.values(), *table.displaced.values()]:
                self.drop(entry.socket, time)

    def _finished(self) -> tuple[Call, ...]:
        finished = list(self.calls)
        for number, call in enumerate(self.calls):
            socket = self.socket_of.get(number)
            told = (socket.id if socket else None, number in self.last)
            if told != (call.socket, call.last):
                finished[number] = _with(call, *told)
        return tuple(finished)

    def _real(self) -> list[Kernel]:
        """Return the sockets without those of the snapshot that calls have proved wrong."""
        return [s for s in self.sockets if not s.wrong]


def _with(call: Call, socket: int | None, last: bool) -> Call:
    """Return a call with its socket: dataclasses.replace takes twice as long."""
    return Call(
        call.host,
        call.pid,
        call.tid,
        call.name,
        call.start,
        call.end,
        call.result,
        call.errno,
        call.fd,
        call.args,
        socket,
        last,
    )
