"""What a scenario needs of the hosts it is played on, and the hosts of a live lab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from labctl.engine import apart, inside
from labctl.engine.client import Engine
from labctl.engine.inside import Done
from labctl.engine.live import LiveLab
from labctl.engine.output import Output
from labctl.engine.presence import require_still_running
from labctl.engine.running import Running


class Command(Protocol):
    """A command that was started on a host; see `labctl.engine.running.Running`."""

    @property
    def pid(self) -> int | None: ...
    @property
    def code(self) -> int | None: ...
    @property
    def seconds(self) -> float: ...
    def wait(self, timeout: float) -> bool: ...
    def settle(self, timeout: float) -> None: ...


class Hosts(Protocol):
    """The hosts, by name. Each method raises MachineError when the host does not run."""

    def run(self, host: str, argv: Sequence[str], timeout: float) -> Done:
        """Run a command to its end. Raises TimedOut after `timeout` seconds."""

    def run_apart(self, host: str, argv: Sequence[str], timeout: float) -> Done:
        """Do the same among the host's processes, where it lets no more be started in it."""

    def start(
        self, host: str, argv: Sequence[str], env: Mapping[str, str], output: Output
    ) -> Command:
        """Start a command of a step; `output` takes what it prints."""

    def probe(
        self, host: str, argv: Sequence[str], env: Mapping[str, str], output: Output
    ) -> Command:
        """Start a command that a step waits for: nobody who observes is shown it."""

    def require_running(self, host: str) -> None:
        """Raise MachineError, saying what became of it, unless the host runs."""


@dataclass(frozen=True)
class LiveHosts:
    """The hosts of a lab that is up."""

    engine: Engine
    lab: LiveLab

    def run(self, host: str, argv: Sequence[str], timeout: float) -> Done:
        return inside.run(self.engine, self.lab.host(host), argv, timeout=timeout)

    def run_apart(self, host: str, argv: Sequence[str], timeout: float) -> Done:
        return apart.run_apart(self.engine, self.lab.host(host), argv, timeout)

    def start(
        self, host: str, argv: Sequence[str], env: Mapping[str, str], output: Output
    ) -> Running:
        return Running(self.engine, self.lab.host(host), argv, env, output)

    def probe(
        self, host: str, argv: Sequence[str], env: Mapping[str, str], output: Output
    ) -> Running:
        return Running(self.engine, self.lab.host(host), argv, env, output)

    def require_running(self, host: str) -> None:
        require_still_running(self.engine, self.lab.host(host))
