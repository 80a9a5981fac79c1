"""A command on its way inside a host, its output taken live."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from labctl.engine.client import Engine, refused
from labctl.engine.execs import Written
from labctl.engine.live import LiveHost
from labctl.engine.output import Output, PidLine
from labctl.engine.presence import gone, watched
from labctl.engine.processes import told

_LOOK_EVERY = 1.0
"""Seconds between looks at a command whose streams are open: a child of it that went into
the background holds them open after its end."""
_LAST_WORDS = 1.0
"""Seconds that the last of what a command wrote may be on its way after its end."""
_SHORTEST_NAP = 0.02
_LONGEST_NAP = 0.5


class Running:
    """Starts the command at once. The host must have /bin/sh.

    With a `gate` it waits there until it is let go on: see `labctl.engine.processes.told`.

    The engine is asked in a thread of its own, so that an interrupt, which reaches the main
    thread only, never leaves a command behind that nobody knows of.
    """

    def __init__(
        self,
        engine: Engine,
        host: LiveHost,
        argv: Sequence[str],
        env: Mapping[str, str],
        output: Output,
        gate: str | None = None,
    ) -> None:
        self._engine = engine
        self._host = host
        self._argv = argv
        self._gate = gate
        self._env = dict(env)
        self._output = output
        self._pid_line = PidLine()
        self._id: str | None = None
        self._error: Exception | None = None
        self._settled = threading.Event()
        self._closed = threading.Event()
        self._began = self._last = time.monotonic()
        self._next_look = 0.0
        self.code: int | None = None
        """The exit code once it has ended: 128 + n for a command that signal n ended."""
        threading.Thread(target=self._follow, daemon=True).start()

    @property
    def pid(self) -> int | None:
        """Its process number in the host's own pid namespace, once it has told it."""
        return self._pid_line.pid

    @property
    def seconds(self) -> float:
        """How long it has run, or ran."""
        running = self.code is None and self._error is None
        return (time.monotonic() if running else self._last) - self._began

    def settle(self, timeout: float) -> None:
        """Return when the engine has started it or refused to, at the latest after `timeout`."""
        self._settled.wait(timeout)

    def wait(self, timeout: float) -> bool:
        """Wait for its end, at most `timeout` seconds; return whether it has ended.

        Raises MachineError when the host has ended or is gone, EngineError when the engine
        refused to start it.
        """
        deadline = time.monotonic() + timeout
        nap = _SHORTEST_NAP
        while not self._has_ended():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if self._closed.is_set():  # it has closed its streams, and goes on
                time.sleep(min(nap, left))
                nap = min(nap * 1.5, _LONGEST_NAP)
            else:
                self._closed.wait(min(left, _LOOK_EVERY))
        return True

    def _follow(self) -> None:
        what = f"running a command on host {self._host.name}"
        try:
            with refused(what), watched(self._engine, self._host, self._argv):
                self._start_and_read()
        except Exception as error:  # handed to whoever waits
            self._error = error
        finally:
            if self.code is None:  # else it had ended before, and others held its output open
                self._last = time.monotonic()
            self._settled.set()
            self._closed.set()

    def _start_and_read(self) -> None:
        api = self._engine.sdk.api
        argv = told(self._argv, self._gate)
        made = api.exec_create(self._host.container_id, argv, environment=self._env)
        written = Written(self._engine, made["Id"])
        self._id = made["Id"]
        self._settled.set()
        for out, err in written:
            if out:
                self._output.stdout.feed(out)
            if err:
                if self.pid is None:
                    self._began = time.monotonic()
                self._output.stderr.feed(self._pid_line.feed(err))

    def _has_ended(self) -> bool:
        if self.code is not None:
            return True
        if self._error is not None:
            raise self._error
        now = time.monotonic()
        if self._id is None or (not self._closed.is_set() and now < self._next_look):
            return False
        self._next_look = now + _LOOK_EVERY
        self._look(self._id)
        return self.code is not None

    def _look(self, key: str) -> None:
        what = f"looking at a command on host {self._host.name}"
        with refused(what), watched(self._engine, self._host, self._argv):
            state = self._engine.sdk.api.exec_inspect(key)
        if state["Running"]:
            return
        if state["ExitCode"] is None:
            raise gone(self._host)
        if not self._closed.is_set():
            self._last = time.monotonic()
            self._closed.wait(_LAST_WORDS)
        self.code = int(state["ExitCode"])
