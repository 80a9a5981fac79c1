"""The desk of a peer that shares a folder: gives the pieces of its files to swarms."""

import contextlib
import io
import os
import socket
import threading

from exchange import Exchange
from folder import NotShared, open_shared
from manifest import Manifest
from napster import Malformed
from swarm_line import Line
from swarm_loop import Address, Loop
from swarm_store import Store
from swarm_wire import Frame, Hello, Kind

Identity = tuple[int, int, int]
"""Inode, size in bytes, modification time in ns: the same as long as the file is."""

NOT_HERE = Hello("-", "-", 0, "-", 0)
"""What is said of a file that is not shared."""


MOST_PREPARED = 16
"""Files that are hashed before anybody has asked for them: the largest, which take longest, but
not those that would keep the disk busy for long."""

SMALLEST_PREPARED, LARGEST_PREPARED = 8 << 20, 1 << 30


class Seed:
    """Files of `folder` by name, each as an exchange once it has been hashed."""

    def __init__(self, folder: str, nick: str, port: int) -> None:
        self._folder = folder
        self._nick = nick
        self._port = port
        self._exchanges: dict[str, tuple[Identity, Exchange]] = {}
        self._waiting: dict[str, list[Line]] = {}
        self.loop = Loop(self)

    def start(self) -> None:
        """Serve until the process ends. The largest files are hashed at once."""
        for name, file in self._largest():
            self._begin(name, file)

        def serve() -> None:
            while True:
                self.loop.turn()

        threading.Thread(target=serve, daemon=True).start()

    def take_over(self, sock: socket.socket, address: Address, begun: bytes) -> None:
        """A connection that has sent the greeting, from another thread."""
        self.loop.later(lambda: self.loop.admit(sock, address, begun))

    def take(self, line: Line, message: Frame) -> Exchange | None:
        if message.kind != Kind.HELLO or line.hello is not None:
            raise Malformed(f"{message.kind.name} before it is known which file is meant")
        line.hello = Hello.parse(message.data)
        name = line.hello.name
        try:
            file = open_shared(self._folder, name)
        except NotShared:
            line.put(NOT_HERE.frame())
            return None
        known = self._exchanges.get(name)
        if known is not None and known[0] == _identity(file):
            file.close()
            return self._welcome(line, known[1])
        if name not in self._waiting:
            self._begin(name, file)
        else:
            file.close()
        self._waiting[name].append(line)
        return None

    def _largest(self) -> list[tuple[str, io.FileIO]]:
        """The files worth hashing before they are asked for, opened."""
        found: list[tuple[int, str]] = []
        with contextlib.suppress(OSError):
            for entry in os.scandir(self._folder):
                size = entry.stat(follow_symlinks=False).st_size
                if SMALLEST_PREPARED <= size <= LARGEST_PREPARED:
                    found.append((size, entry.name))
        opened = []
        for _, name in sorted(found, reverse=True)[:MOST_PREPARED]:
            with contextlib.suppress(NotShared):
                opened.append((name, open_shared(self._folder, name)))
        return opened

    def _begin(self, name: str, file: io.FileIO) -> None:
        """Hash the file."""
        self._waiting[name] = []
        threading.Thread(target=self._hash, args=(name, file), daemon=True).start()

    def _hash(self, name: str, file: io.FileIO) -> None:
        """In a thread of its own, as it takes a second for a gigabyte."""
        try:
            with file:
                identity = _identity(file)
                manifest = Manifest.of(file.fileno())
                store = Store(manifest, os.dup(file.fileno()))
        except OSError:
            self.loop.later(lambda: self._hashed(name, None))
            return
        exchange = Exchange(manifest, store, lambda _ip, _port: None)
        self.loop.later(lambda: self._hashed(name, (identity, exchange)))

    def _hashed(self, name: str, known: tuple[Identity, Exchange] | None) -> None:
        waiting = self._waiting.pop(name)
        if known is None:
            for line in waiting:
                line.put(NOT_HERE.frame())
            return
        old = self._exchanges.get(name)
        self._exchanges[name] = known
        if old is not None:
            for line in list(old[1].lines):
                self.loop.drop(line)
            old[1].store.close()
        for line in waiting:
            exchange = self._welcome(line, known[1])
            if exchange is not None:
                self.loop.join(line, exchange)

    def _welcome(self, line: Line, exchange: Exchange) -> Exchange | None:
        """Say what the file is; None when the peer means another one."""
        assert line.hello is not None
        manifest = exchange.manifest
        if line.hello.root not in ("-", manifest.root):
            line.put(NOT_HERE.frame())
            return None
        hello = Hello(self._nick, line.hello.name, manifest.size, manifest.root, self._port)
        line.put(hello.frame())
        return exchange


def _identity(file: io.FileIO) -> Identity:
    status = os.fstat(file.fileno())
    return status.st_ino, status.st_size, status.st_mtime_ns
