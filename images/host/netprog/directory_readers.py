"""Who wants to see the directory's table: a Unix socket, and a child process for each reader.

The socket's name is in the abstract namespace (unix(7)): it exists only in this host's network
namespace and vanishes with the process. The child has a copy of the table as it was at that
moment (fork(2)), and writes it out while the directory goes on.
"""

import contextlib
import os
import signal
import socket

from command import Failure, reason, say
from directory_table import table_lines_json
from table import Table

MOST_READERS = 4
READER_SECONDS = 60
"""After which a child ends that nobody reads from."""


def control_address(port: int) -> str:
    """The abstract Unix socket on which the directory of `port` shows its table."""
    return f"\0directory:{port}"


class Readers:
    """Those who read the table. Raises Failure when the socket cannot be made."""

    def __init__(self, table: Table, address: tuple[str, int]) -> None:
        self._table = table
        self._address = address
        self._children: set[int] = set()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.listener.bind(control_address(address[1]))
            self.listener.listen(MOST_READERS)
        except OSError as error:
            self.listener.close()
            raise Failure(f"cannot listen for `directory table`: {reason(error)}") from error

    def serve(self) -> None:
        """Accept one reader and let a child write to it; the listener is ready."""
        self.reap()
        try:
            sock, _ = self.listener.accept()
        except OSError as error:
            say(f"accept: {reason(error)}")
            return
        with sock:
            if len(self._children) >= MOST_READERS:
                return
            try:
                child = os.fork()
            except OSError as error:
                say(f"cannot show the table: {reason(error)}")
                return
            if child == 0:
                self._write(sock)
            self._children.add(child)

    def _write(self, sock: socket.socket) -> None:
        """In the child: write the table, a JSON object a line, and end."""
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.alarm(READER_SECONDS)
            _close_all_but(sock.fileno())
            sock.setblocking(True)
            with sock.makefile("w", encoding="utf-8", errors="surrogateescape") as out:
                for line in table_lines_json(self._table, self._address):
                    out.write(line + "\n")
        except OSError:
            pass
        finally:
            os._exit(0)

    def reap(self) -> None:
        """Take leave of the children that have ended."""
        for child in list(self._children):
            if os.waitpid(child, os.WNOHANG)[0] == child:
                self._children.discard(child)


def _close_all_but(kept: int) -> None:
    """The port, and connections that the directory closes, would last as long as this child."""
    for number in map(int, [entry.name for entry in os.scandir("/proc/self/fd")]):
        if number != kept:
            with contextlib.suppress(OSError):  # the one by which the list was read
                os.close(number)
