"""Locks between labctl processes on one machine: advisory, by flock(2), gone with their holder.

Names of labs come and go, so the files of their locks are removed again: only by who holds the
lock. Whoever waited for it meanwhile has a file without a name, and begins anew.
"""

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
    deadline = time.monotonic() + patience
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _flock(descriptor, deadline):
            os.close(descriptor)
            return None
        if _is_at(path, descriptor):
            return descriptor
        # Whoever held it has removed the file: others lock a new one of that name.
        os.close(descriptor)


def _flock(descriptor: int, deadline: float) -> bool:
    nap = 0.005
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
        else:
            return True
        time.sleep(nap)
        nap = min(nap * 1.5, _LONGEST_NAP)


def _is_at(path: Path, descriptor: int) -> bool:
    """Tell whether the path still leads to the file that is open."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(descriptor))


def is_free(path: Path) -> bool:
    """Tell whether nobody holds the lock at this moment."""
    descriptor = _try_there(path)
    if descriptor is not None:
        release(descriptor)
    return descriptor is not None or not path.exists()


def _try_there(path: Path) -> int | None:
    """Take a lock only where its file is there already; None where not, or another has it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    if _flock(descriptor, 0.0) and _is_at(path, descriptor):
        return descriptor
    os.close(descriptor)
    return None


def release(descriptor: int) -> None:
    """Let go of a lock that `try_lock` gave."""
    os.close(descriptor)


def remove(path: Path, descriptor: int) -> None:
    """Let go of a lock that no child has inherited, and remove its file."""
    try:
        if _is_at(path, descriptor):
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def discard(path: Path) -> None:
    """Remove the lock's file, unless somebody holds the lock."""
    descriptor = _try_there(path)
    if descriptor is not None:
        remove(path, descriptor)


def discard_all() -> None:
    """Remove the files of all locks that nobody holds."""
    for path in runtime_dir().glob("*.lock"):
        discard(path)


@contextmanager
def held(path: Path, what: str, timeout: float, once: bool = False) -> Iterator[int]:
    """Hold the lock within the block; wait for it `timeout` seconds at most.

    What is locked `once` will not be there any more: its lock's file is removed afterwards. The
    descriptor is not to be inherited then. Raises MachineError, naming `what` is locked, when the
    time is over.
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
        if once:
            remove(path, descriptor)
        else:
            release(descriptor)
