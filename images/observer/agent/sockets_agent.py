"""Looks at the sockets of one host; told when in JSON lines on standard input.

It runs in a container of its own that shares the host's network and pid namespaces. It stops,
traces and changes nothing there.
"""

from __future__ import annotations

from typing import Any

from serving import Obedient, serve
from socket_tables import SocketTables


class SocketsAgent(Obedient):
    """What it does: see serving.py for how it is told."""

    def __init__(self) -> None:
        super().__init__()
        self._tables = SocketTables()

    def hello(self) -> dict[str, Any]:
        """Tell that it is there."""
        return {}

    def sockets(self) -> dict[str, Any]:
        """Tell the descriptors of all processes, and the kernel's sockets, as they are now."""
        return self._tables.look()


if __name__ == "__main__":
    serve(SocketsAgent())
