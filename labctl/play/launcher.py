"""Starts a scenario's commands in the hosts, and ends all that still runs of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from labctl.engine import processes
from labctl.engine.inside import Done, TimedOut
from labctl.engine.output import Output
from labctl.errors import EngineError, LabctlError, MachineError
from labctl.lab import model
from labctl.play.hosts import Command, Hosts
from labctl.play.steps import argv_of, text_of

START_TIMEOUT = 10.0
"""Seconds for the engine to start a command."""
_INSIDE_TIMEOUT = 8.0
"""Seconds for ending what runs on a host, beyond the grace it is given, from within."""
_END_TIMEOUT = 30.0
"""The same from beside the host, on processor time that is not the host's."""
_AT_ONCE = 8

_Start = Callable[[str, Sequence[str], Mapping[str, str], Output], Command]


class Launcher:
    """The commands of one play. `grace` is in seconds, from SIGTERM to SIGKILL."""

    def __init__(self, hosts: Hosts, grace: float) -> None:
        self._hosts = hosts
        self._grace = grace
        self._mark = secrets.token_hex(8)
        self._probes = 0
        self._touched: dict[str, list[Command]] = {}
        """Each host on which something was started, with what may still run there."""

    def start(self, host: str, command: model.Command, key: int | str, output: Output) -> Command:
        """Start a command; `key` tells it from the others of this play."""
        return self._started(self._hosts.start, host, command, key, output)

    def _started(
        self, start: _Start, host: str, command: model.Command, key: int | str, output: Output
    ) -> Command:
        mark = processes.mark(self._mark, key)
        touched = self._touched.setdefault(host, [])
        started = start(host, argv_of(command), {processes.MARK: mark}, output)
        touched.append(started)
        return started

    def probe(self, host: str, command: model.Command, timeout: float) -> tuple[int, str]:
        """Run a command to its end; return its exit code and what it printed.

        Raises TimedOut after `timeout` seconds; the command has been ended then.
        """
        self._probes += 1
        output, key = Output(), f"probe{self._probes}"
        started = self._started(self._hosts.probe, host, command, key, output)
        if not started.wait(timeout):
            self._end_on(host, processes.mark(self._mark, key), [started])
            raise TimedOut(f"on host {host}: {text_of(command)} did not end")
        self._touched[host].remove(started)
        assert started.code is not None
        return started.code, output.stdout.text + output.stderr.text

    def end(self) -> None:
        """End all that was started, and the children of what has ended already.

        Raises MachineError naming what could not be ended, EngineError when the engine has
        gone away.
        """
        mark = processes.mark(self._mark)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            tasks = [
                pool.submit(self._end_on, host, mark, started)
                for host, started in self._touched.items()
            ]
        for task in tasks:
            task.result()

    def _end_on(self, host: str, mark: str, started: Iterable[Command]) -> None:
        for command in started:
            command.settle(START_TIMEOUT)
        pids = [c.pid for c in started if c.pid is not None and c.code is None]
        ended = [c.pid for c in started if c.pid is not None and c.code is not None]
        try:
            done = self._end_inside(host, processes.end(mark, pids, self._grace, ended))
            if done is None or done.code != 0:
                argv = processes.end(mark, pids, 0, ended)
                done = self._hosts.run_apart(host, argv, _END_TIMEOUT)
            for command in started:
                command.wait(_END_TIMEOUT)
        except EngineError:
            raise
        except LabctlError:
            self._require_gone(host)
            return
        if done.code != 0:
            remain = (done.stdout or done.stderr).decode(errors="replace").strip()
            raise _could_not(host, f"processes {remain}")

    def _end_inside(self, host: str, argv: Sequence[str]) -> Done | None:
        """Run it on the host; None where the host is too busy for it.

        A host that has as many processes as it may lets no other be started either.
        """
        try:
            return self._hosts.run(host, argv, self._grace + _INSIDE_TIMEOUT)
        except TimedOut:
            return None

    def _require_gone(self, host: str) -> None:
        """On a host that does not run nothing is left to end."""
        try:
            self._hosts.require_running(host)
        except EngineError:
            raise
        except MachineError:
            return
        raise _could_not(host, "what the scenario started")


def _could_not(host: str, what: str) -> MachineError:
    return MachineError(
        f"on host {host} this could not be ended: {what}", "`labctl down` ends it with the lab."
    )
