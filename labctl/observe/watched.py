"""One host while it is observed: its agent, and what was told of its processes."""

from __future__ import annotations

from dataclasses import dataclass, field

from labctl.engine.observers import Container
from labctl.engine.sidecar import AgentRefused, Sidecar
from labctl.observe.ended import HostEnd
from labctl.observe.opened import Opened, opened
from labctl.observe.sockets import snapshot
from labctl.sequence.events import Notice


@dataclass
class WatchedHost:
    """A host with the agent beside it.

    `program` is the number of its own program, where it was seen from its first call on. For each
    file of strace's, `threads` maps the numbers of threads attached to to those of their
    processes. `whole` is False where programs ran before the agent came.
    """

    name: str
    sidecar: Sidecar
    container: Container
    whole: bool = True
    program: int | None = None
    programs: dict[int, str] = field(default_factory=dict)
    commands: dict[int, list[str]] = field(default_factory=dict)
    """The command lines of processes that were let through a gate, by number."""
    threads: dict[str, dict[int, int]] = field(default_factory=dict)
    notes: list[Notice] = field(default_factory=list)
    opened: Opened = field(default_factory=Opened)
    """The sockets that its processes had when they were attached to."""
    interfaces: dict[int, list[str]] = field(default_factory=dict)
    """The addresses of its network interfaces, by their index, at the end."""
    stopped: int | None = None
    """When it began to be observed no longer, in ns since the epoch."""
    end: HostEnd | None = None
    """How it ended, once it is known that it has."""

    def look_at_sockets(self) -> None:
        """Remember the sockets that its processes have, or note why they are not known.

        To be called once they are all traced, so that nothing falls between.
        """
        try:
            told = self.sidecar.ask("open_sockets")
        except AgentRefused as error:
            self.note(f"the sockets from before are not known: {error.message}")
        else:
            self.opened = opened(snapshot.read(self.name, told))

    def note(self, text: str, *missing: str) -> None:
        """Keep what is to be told of it; `missing` names what was not seen whole because of it."""
        self.notes.append(Notice(self.name, text, missing=missing))
