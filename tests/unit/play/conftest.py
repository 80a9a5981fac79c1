"""Hosts that are names only: their commands run on this machine, as its own processes."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from labctl.engine.inside import Done, TimedOut
from labctl.engine.output import Output, PidLine
from labctl.engine.processes import told
from labctl.errors import MachineError

PATIENCE = 30.0


@dataclass
class LocalHosts:
    """`dead` hosts have ended; `answers` are what a command's first word gives instead of
    being run, one after the other, the last for ever."""

    dead: set[str] = field(default_factory=set)
    answers: dict[str, list[Done]] = field(default_factory=dict)
    started: list[LocalCommand] = field(default_factory=list)

    def run(self, host: str, argv: Sequence[str], timeout: float) -> Done:
        self.require_running(host)
        queue = self.answers.get(argv[0])
        if queue:
            return queue.pop(0) if len(queue) > 1 else queue[0]
        began = time.monotonic()
        try:
            done = subprocess.run(argv, capture_output=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired as error:
            raise TimedOut(str(error)) from error
        return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    run_apart = run

    def start(
        self, host: str, argv: Sequence[str], env: Mapping[str, str], output: Output
    ) -> LocalCommand:
        self.require_running(host)
        command = LocalCommand(self, host, argv, env, output)
        self.started.append(command)
        return command

    probe = start

    def require_running(self, host: str) -> None:
        if host in self.dead:
            raise MachineError(f"host {host} ended (exit code 137)")


class LocalCommand:
    """A process in a session of its own, as the engine starts it."""

    def __init__(
        self,
        hosts: LocalHosts,
        host: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        output: Output,
    ) -> None:
        self._hosts, self._host, self._output = hosts, host, output
        self._pid_line = PidLine()
        self._began = time.monotonic()
        self._child = subprocess.Popen(
            told(argv),
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._readers = [threading.Thread(target=t, daemon=True) for t in (self._out, self._err)]
        for reader in self._readers:
            reader.start()

    def _out(self) -> None:
        assert self._child.stdout
        while chunk := os.read(self._child.stdout.fileno(), 65536):
            self._output.stdout.feed(chunk)

    def _err(self) -> None:
        assert self._child.stderr
        while chunk := os.read(self._child.stderr.fileno(), 65536):
            self._output.stderr.feed(self._pid_line.feed(chunk))

    @property
    def pid(self) -> int | None:
        return self._pid_line.pid

    @property
    def code(self) -> int | None:
        told = self._child.returncode
        return told if told is None or told >= 0 else 128 - told

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def settle(self, timeout: float) -> None:
        return

    def wait(self, timeout: float) -> bool:
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            self._hosts.require_running(self._host)
            return False
        for reader in self._readers:
            reader.join(PATIENCE)
            assert not reader.is_alive()
        return True

    def kill(self) -> None:
        self._child.kill()
        self._child.wait()


@pytest.fixture
def hosts() -> Iterator[LocalHosts]:
    """Hosts on this machine; a test that leaves a process running there fails."""
    local = LocalHosts()
    yield local
    left = [c for c in local.started if c.code is None]
    for command in left:
        command.kill()
    assert not left
