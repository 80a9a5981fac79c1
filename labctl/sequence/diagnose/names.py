"""How hosts, processes, sockets and times of a recording are said."""

from __future__ import annotations

from functools import cached_property

from labctl.sequence.connection import Side, Socket
from labctl.sequence.diagnose import words
from labctl.sequence.recording import ObservedHost, Recording

Thread = tuple[str, int]
"""A host and the number of one of its threads; the number of a process is its first thread's."""


class Names:
    """What can be said of a recording's hosts and processes."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.hosts: dict[str, ObservedHost] = {host.name: host for host in recording.hosts}

    @cached_property
    def start(self) -> int:
        """When the first event was."""
        return self.recording.start

    @cached_property
    def _host_of(self) -> dict[str, str]:
        return {
            address.split("/")[0]: host.name
            for host in self.recording.hosts
            for address in host.addresses.values()
        }

    @cached_property
    def _programs(self) -> dict[Thread, str]:
        table = {
            (host.name, pid): words.program(command)
            for host in self.recording.hosts
            for pid, command in host.programs.items()
        }
        for event in self.recording.processes:
            if event.kind == "fork" and event.child is not None:
                parent = table.get((event.host, event.pid))
                if parent:
                    table.setdefault((event.host, event.child), parent)
            elif event.kind == "exec" and event.program:
                table[event.host, event.pid] = words.program(event.program)
        return table

    def host_of(self, side: Side) -> str | None:
        """Return the host that an end of a connection is on, also where its calls were not seen."""
        if side.host or side.endpoint is None:
            return side.host
        return self.host_at(side.endpoint.address)

    def host_at(self, address: str) -> str | None:
        """Return the observed host that has an address; None of loopback addresses."""
        return self._host_of.get(address)

    def at(self, time: int) -> str:
        """Return a time as it is said: `at 12.3 ms`, from the first event."""
        return f"at {words.span(time - self.start)}"

    def who(self, host: str, pid: int) -> str:
        """Return a process as it is said: `process 12 (server.py)`."""
        name = self._programs.get((host, pid))
        return f"process {pid} ({name})" if name else f"process {pid}"

    def owner(self, socket: Socket) -> str:
        """Return who has a socket, as it is said: `process 12 (server.py) of server`."""
        if not socket.holders:
            return f"a socket of {socket.host}"
        return f"{self.who(socket.host, socket.holders[0])} of {socket.host}"

    def name(self, side: Side) -> str:
        """Return an end of a connection as it is said: `client (10.0.0.2:40001)`."""
        return words.named(self.host_of(side), side.endpoint)
