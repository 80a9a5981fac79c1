"""Traces processes of the host with strace(1)."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import processes
from failure import Failure

_PATIENCE = 10.0
_ATTACHED = re.compile(rb"Process (\d+) attached")
_ENDED_WELL = (0, -signal.SIGINT, 128 + signal.SIGINT)
_REFUSED = re.compile(rb"attach: .*\((?:PTRACE_\w+, )?(\d+)[^)]*\): (.*)")


def limited(max_bytes: int) -> list[str]:
    """Return the start of a command none of whose files may grow beyond `max_bytes`.

    The kernel ends it with SIGXFSZ when it tries (setrlimit(2), RLIMIT_FSIZE).
    """
    return ["prlimit", f"--fsize={max_bytes}", "--"]


class Straces:
    """All the straces of one host: one for each time that something was attached to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[tuple[subprocess.Popen[bytes], BinaryIO]] = []

    @staticmethod
    def refusal() -> str | None:
        """Try strace; return why it does not work here, or None where it does."""
        if not processes.may_look():
            return "Operation not permitted: the observer lacks CAP_SYS_PTRACE"
        trial = ["strace", "-o", os.devnull, "-e", "trace=none", "true"]
        done = subprocess.run(trial, capture_output=True, check=False, text=True)
        if done.returncode == 0:
            return None
        # The first line is the reason, the others are what came of it.
        return (done.stderr.strip().splitlines() or ["it gives no reason"])[0]

    def attach(self, pids: list[int], options: list[str], max_bytes: int) -> str:
        """Trace processes with all their threads and children from now on.

        Returns the name of the file that tells of them. Raises Failure where the kernel
        refuses; processes that have ended before are no reason to.
        """
        file = self._folder / f"{len(self._running)}.strace"
        said = file.with_suffix(".said")
        which = [word for pid in pids for word in ("-p", str(pid))]
        errors = said.open("a+b")
        child = subprocess.Popen(
            [*limited(max_bytes), "strace", *options, "-o", str(file), *which],
            stdin=subprocess.DEVNULL,
            stderr=errors,
        )
        self._running.append((child, errors))
        _wait_until_attached(child, set(pids), said)
        return file.name

    def rest(self, patience: float) -> None:
        """Wait until each has told all that has happened: it sleeps then, or has ended."""
        for _ in processes.naps(patience):
            if all(processes.state(child.pid) in "SZX" for child, _ in self._running):
                return

    def stop(self) -> list[str]:
        """End them all; return what is to be told of each."""
        notes = []
        for child, errors in self._running:
            if child.poll() is None:
                child.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                child.wait(_PATIENCE)
            if child.poll() is None:
                child.kill()
                child.wait()
                notes.append("strace did not end when told to, and was killed")
            elif child.returncode == -signal.SIGXFSZ:
                notes.append("the trace of system calls was cut: it came to --max-bytes")
            elif child.returncode == -signal.SIGKILL:
                notes.append("strace was killed: what came after is missing")
            elif child.returncode not in _ENDED_WELL:
                notes.append("strace ended by itself: what came after is missing")
            with errors:
                errors.seek(0)
                if b"No space left" in errors.read():
                    notes.append("the trace of system calls was cut: the disk is full")
        self._running.clear()
        return notes


def _wait_until_attached(child: subprocess.Popen[bytes], pids: set[int], said: Path) -> None:
    gone: set[int] = set()
    for _ in processes.naps(_PATIENCE):
        told = said.read_bytes()
        attached = {int(pid) for pid in _ATTACHED.findall(told)}
        refused = {int(pid): why for pid, why in _REFUSED.findall(told)}
        gone |= {pid for pid in pids if processes.state(pid) in "XZ"}
        if pids <= attached | gone:
            said.unlink()
            return
        for pid, why in refused.items():
            if pid not in gone:
                child.kill()
                raise Failure(f"strace may not attach: {why.decode(errors='replace')}")
        if child.poll() is not None and not gone:
            raise Failure(f"strace ended: {told.decode(errors='replace').strip()[-300:]}")
    child.kill()
    raise Failure(f"strace did not attach within {_PATIENCE:g} seconds")
