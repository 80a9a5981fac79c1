"""The descriptor table of a process, and the sockets that its entries stand for.

As in the kernel (fork(2), dup(2), close(2), execve(2)): threads share a table, fork copies it,
several entries may stand for one socket, and the socket goes when its last entry does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from labctl.sequence.connection import Socket
from labctl.sequence.events import Endpoint


@dataclass(eq=False, slots=True)
class Kernel:
    """A socket while it is rebuilt: what `Socket` tells of it, not yet final.

    `references` counts the table entries that stand for it, and the messages on their way that
    carry it. `peer` is the other end of a socketpair.
    """

    id: int
    host: str
    family: str
    type: str
    born: int | None
    local: Endpoint | None = None
    remote: Endpoint | None = None
    listening: bool = False
    listener: Kernel | None = None
    holders: dict[int, None] = field(default_factory=dict)
    released: int | None = None
    references: int = 0
    peer: Kernel | None = None
    bound: bool = False
    guessed: bool = False
    """Not seen to be made: it is known from the snapshot, or only from its use."""
    used: bool = False
    """Some call was on it."""
    wrong: bool = False
    """Of the snapshot, but calls show that the snapshot was late."""

    @property
    def internet(self) -> bool:
        return self.family in ("AF_INET", "AF_INET6", "")

    @property
    def stream(self) -> bool:
        return self.internet and self.type in ("SOCK_STREAM", "")

    @property
    def datagram(self) -> bool:
        return self.internet and self.type == "SOCK_DGRAM"

    def final(self) -> Socket:
        return Socket(
            self.id,
            self.host,
            self.family,
            self.type,
            self.local,
            self.remote,
            self.listening,
            self.listener.id if self.listener else None,
            tuple(self.holders),
            self.born,
            self.released,
        )


@dataclass(slots=True)
class Entry:
    socket: Kernel
    cloexec: bool
    tid: int = 0
    since: int = 0
    """When, and by which thread, the number was given."""


class Table:
    """The descriptors of a process that stand for sockets; all others are not in it."""

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}
        self.displaced: dict[int, Entry] = {}
        """Entries whose number was given anew before the close that freed it was seen."""
        self.recent: dict[int, tuple[Kernel, int]] = {}
        """What a number stood for until a close of it, and when that close returned."""
        self.owners: set[int] = set()
        """The processes that share it, where one was made to."""
        self.watched: dict[int, dict[int, Kernel]] = {}
        """What each epoll descriptor watches, by what the kernel gives back for it."""

    def put(self, fd: int, entry: Entry, pid: int) -> None:
        """A call returned `fd`, which now stands for the socket of the entry."""
        before = self.entries.get(fd)
        if before is not None:
            self.displaced[fd] = before
            before.socket.wrong = before.socket.guessed and not before.socket.used
        self.entries[fd] = entry
        entry.socket.references += 1
        entry.socket.holders.setdefault(pid)

    def find(self, fd: int, start: int) -> Kernel | None:
        """Return what `fd` stood for when a call that names it was entered.

        A call entered while another thread's close is at work may have been in time still: no
        thread can know the number's next meaning before the call that gives it has returned.
        """
        entry = self.entries.get(fd)
        if entry is not None:
            return entry.socket
        socket, until = self.recent.get(fd, (None, 0))
        return socket if start < until else None

    def take(self, fd: int, start: int, end: int | None, tid: int, tolerance: int) -> Entry | None:
        """Free `fd`, as close does as soon as it is entered; return what it stood for.

        Where the number has just been given to another thread, that could only be because
        this close freed it.
        """
        old = self.displaced.pop(fd, None)
        entry = self.entries.get(fd)
        if old and entry and tid != entry.tid and start <= entry.since + tolerance:
            return old
        if old is not None:
            old.socket.references -= 1
        if entry is not None:
            del self.entries[fd]
            self.recent[fd] = (entry.socket, end if end is not None else start)
        return entry

    def copy(self, pid: int) -> Table:
        """Return the table that a forked process `pid` gets."""
        child = Table()
        child.owners.add(pid)
        child.recent = dict(self.recent)
        child.watched = {fd: dict(known) for fd, known in self.watched.items()}
        for fd, entry in self.entries.items():
            child.put(fd, Entry(entry.socket, entry.cloexec), pid)
        return child
