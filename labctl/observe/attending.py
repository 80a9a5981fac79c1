"""What an observer and a stepper have in common: an agent and a gate for each host."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from labctl.engine.client import Engine
from labctl.engine.observers import provide_image
from labctl.observe.watched import WatchedHost

_GATE_TIMEOUT = 30.0


class Attending:
    """The hosts that are attended to, and the gates at which their programs wait.

    Raises MachineError where the agents' image is not to be had. Methods may be called from
    several threads.
    """

    def __init__(self, engine: Engine, note: Callable[[str], None]) -> None:
        self._engine = engine
        self._image = provide_image(engine, note)
        self._gates = secrets.token_hex(6)
        """What the marks of all gates begin with."""
        self._marks: dict[str, str] = {}
        self._hosts: dict[str, WatchedHost] = {}
        self._lock = threading.Lock()

    @property
    def hosts(self) -> dict[str, WatchedHost]:
        """The hosts that are attended to, by name."""
        return dict(self._hosts)

    def gate(self, host: str) -> str | None:
        """Give every host a gate."""
        return self._marks.setdefault(host, self.new_gate())

    def new_gate(self) -> str:
        """Return the mark of a gate that nobody else has."""
        return f"{self._gates}.{secrets.token_hex(4)}"

    def without_gate(self, hosts: Sequence[str]) -> None:
        """Remember which hosts have no shell to make a gate of."""
        for host in hosts:
            self._marks.pop(host, None)

    def _gated(self, host: WatchedHost, mark: str) -> dict[str, Any]:
        """Return what the agent tells of the process that waits at the gate with this mark."""
        patience = _GATE_TIMEOUT
        return host.sidecar.ask("gated", patience + 5, mark=mark, patience=patience)

    def _each(self, do: Callable[[WatchedHost], object]) -> None:
        with ThreadPoolExecutor(self._engine.at_once) as pool:
            for _ in pool.map(do, self._hosts.values()):
                pass
