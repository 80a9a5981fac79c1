"""Locks between labctl processes on one machine: advisory, by flock(2), gone with their holder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labctl.errors import MachineError

_LONGEST_NAP = 0.2


def runtime_dir() -> Path:
    """Return this user's folder for locks, made when missing.

    It depends on the user alone, not on the environment: a labctl that cron runs must
    find the same locks as one in a terminal.
    """
    folder = Path("/tmp") / f"labctl-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = folder.stat().st_uid
    except OSError as error:
        raise MachineError(
            f"cannot make the folder for locks, {folder}: {error.strerror}",
            "Make /tmp a folder that everybody may write to (mode 1777).",
        ) from error
    if owner != os.getuid():
        raise MachineError(
            f"{folder} belongs to another user", "Ask them, or an administrator, to remove it."
        )
    return folder


def lock_path(*parts: str) -> Path:
    """Return the lock file for a thing that the parts name together."""
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
    return runtime_dir() / f"{digest}.lock"


def try_lock(path: Path, patience: float = 0.0) -> int | None:
    """Take the lock and return its descriptor, or None where another still holds it after
    `patience` seconds.

    A child that inherits the descriptor holds the lock too: it is free only when all
    who have it open are gone (flock(2)).
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience
    nap = 0.005
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
        else:
            return descriptor
        time.sleep(nap)
        nap = min(nap * 1.5, _LONGEST_NAP)


def is_free(path: Path) -> bool:
    """Tell whether nobody holds the lock at this moment."""
    descriptor = try_lock(path)
    if descriptor is None:
        return False
    release(descriptor)
    return True


def release(descriptor: int) -> None:
    """Let go of a lock that `try_lock` gave."""
    os.close(descriptor)


@contextmanager
def held(path: Path, what: str, timeout: float) -> Iterator[int]:
    """Hold the lock within the block; wait for it `timeout` seconds at most.

    Raises MachineError, naming `what` is locked, when the time is over.
    """
    descriptor = try_lock(path, timeout)
    if descriptor is None:
        raise MachineError(
            f"another labctl has held {what} for {timeout:g} seconds",
            "Wait until it is done, or end it.",
        )
    try:
        yield descriptor
    finally:
        release(descriptor)
