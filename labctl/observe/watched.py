"""One host while it is observed: its agent, and what was told of its processes."""

from __future__ import annotations

from dataclasses import dataclass, field

from labctl.engine.observers import Container
from labctl.engine.sidecar import Sidecar


@dataclass
class WatchedHost:
    """A host with the agent beside it.

    For each
    file of strace's, `threads` maps the numbers of threads attached to to those of their
    processes. `whole` is False where programs ran before the agent came.
    """

    name: str
    sidecar: Sidecar
    container: Container
    whole: bool = True
    programs: dict[int, str] = field(default_factory=dict)
    threads: dict[str, dict[int, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    interfaces: dict[int, list[str]] = field(default_factory=dict)
    """The addresses of its network interfaces, by their index, at the end."""
