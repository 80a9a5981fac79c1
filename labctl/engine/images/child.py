"""Child processes whose output is passed on line by line, with its end kept for an error."""

from __future__ import annotations

import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from labctl.errors import MachineError

Progress = Callable[[str], None]
"""Takes one line of plain text, without its newline."""

Started = Callable[[subprocess.Popen[bytes]], None]

KEPT_LINES = 15
"""Lines of a child's output that an error shows."""


@dataclass(frozen=True)
class Outcome:
    """How a child ended: its exit code, its last lines, whether its time was over."""

    code: int
    last: list[str]
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        return self.code == 0 and not self.timed_out

    def quoted(self) -> str:
        """Return the last lines as they stand in an error's message."""
        return "\n".join(f"  {line}" for line in self.last) or "  (it said nothing)"


def stream(
    command: Sequence[str],
    env: Mapping[str, str],
    progress: Progress,
    *,
    output: IO[bytes] | None = None,
    silent_for: float | None = None,
    started: Started | None = None,
) -> Outcome:
    """Run a command and pass on its lines; with `output`, standard output goes there.

    A child that has said nothing in its first `silent_for` seconds is ended. `started`
    is called with the child, for a caller in another thread who may want to end it.
    Raises MachineError when the program is not there.
    """
    try:
        child = subprocess.Popen(
            command,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output or subprocess.PIPE,
            stderr=subprocess.PIPE if output else subprocess.STDOUT,
        )
    except OSError as error:
        raise MachineError(
            f"cannot run {command[0]}: {error.strerror}",
            f"Install {command[0]}; see `labctl doctor`.",
        ) from error
    if started:
        started(child)
    return _follow(child, progress, silent_for)


def _follow(
    child: subprocess.Popen[bytes],
    progress: Progress,
    silent_for: float | None,
) -> Outcome:
    last: deque[str] = deque(maxlen=KEPT_LINES)
    late = threading.Event()

    def end() -> None:
        late.set()
        child.kill()

    timer = threading.Timer(silent_for, end) if silent_for else None
    try:
        if timer:
            timer.start()
        pipe = child.stderr or child.stdout
        assert pipe is not None
        for raw in pipe:
            if timer:
                timer.cancel()
            text = raw.decode(errors="replace").rstrip().rsplit("\r", 1)[-1]
            if text:
                last.append(text)
                progress(text)
        return Outcome(child.wait(), list(last), late.is_set())
    finally:
        if timer:
            timer.cancel()
        if child.poll() is None:
            child.terminate()
            child.wait()
