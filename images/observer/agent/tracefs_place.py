"""Where the kernel's tracefs is reached, and what stands in an instance of it.

The image has no mount(8), so the mount is made with mount(2); it lasts as long as the
container. Nothing outside the instances that labctl makes is ever changed.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from failure import Failure

PREFIX = "labctl-"
_DETACH = 2  # MNT_DETACH of umount2(2)


class Refused(Failure):
    """tracefs cannot be used here; the text says why, in one line."""


class Place:
    """tracefs, mounted. Raises Refused where it is not to be had."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="tracefs-"))
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"tracefs", os.fsencode(self.root), b"tracefs", 0, None) != 0:
            self.root.rmdir()
            raise Refused(_why_no_mount(ctypes.get_errno()))
        try:
            _may_be_opened(self.root)
        except Refused:
            self.leave()
            raise

    def leave(self) -> None:
        """Unmount it again; harmless when done twice."""
        ctypes.CDLL(None, use_errno=True).umount2(os.fsencode(self.root), _DETACH)
        with suppress(OSError):
            self.root.rmdir()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other tracers of this kernel from making or removing instances meanwhile."""
        descriptor = os.open(self.root / "instances", os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def remove_idle(self) -> list[str]:
        """Remove labctl's instances that no tracer has open; return what they were called.

        To be done `alone`: a tracer that is just starting does not have its own open yet.
        """
        removed = []
        for path in sorted((self.root / "instances").iterdir()):
            if path.name.startswith(PREFIX):
                with suppress(OSError):  # EBUSY: its tracer is at work
                    path.rmdir()
                    removed.append(path.name)
        return removed


class Instance:
    """One trace buffer of our own, with its own events and filters.

    Raises Refused where it exists already.
    """

    def __init__(self, place: Place, name: str, kind: str, buffer_kb: int) -> None:
        self.path = place.root / "instances" / f"{PREFIX}{name}-{kind}"
        try:
            self.path.mkdir()
        except OSError as error:
            raise Refused(f"no trace instance can be made: {error.strerror}") from None
        try:
            self._set_up(buffer_kb)
        except OSError as error:
            self.remove()
            raise Refused(f"a trace instance cannot be set up: {error}") from None

    def _set_up(self, buffer_kb: int) -> None:
        self.write("tracing_on", "0")
        self.write("trace_clock", "tai")
        # What is newest is lost when the buffer is full, so that what was read stays whole.
        self.write("options/overwrite", "0")
        self._each = max(256, buffer_kb // (os.cpu_count() or 1))
        self.write("buffer_size_kb", str(self._each))
        self._stat_files = sorted((self.path / "per_cpu").glob("cpu*/stats"))
        with suppress(OSError):  # not in every kernel: names of commands, contents of buffers
            self.write("options/record-cmd", "0")
        with suppress(OSError):
            self.write("syscall_user_buf_size", "0")

    def write(self, file: str, text: str) -> None:
        """Write to one of its files, as `echo text > file`."""
        self._put(file, text, os.O_TRUNC)

    def add(self, file: str, text: str) -> None:
        """Add to one of its files, as `echo text >> file`."""
        self._put(file, text, os.O_APPEND)

    def _put(self, file: str, text: str, mode: int) -> None:
        descriptor = os.open(self.path / file, os.O_WRONLY | mode)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)

    def read(self, file: str) -> str:
        """Return what one of its files says now."""
        return (self.path / file).read_text(errors="replace")

    def enable(self, events: Iterable[str]) -> list[str]:
        """Turn events on (`system:event`); return those that this kernel does not have."""
        missing = []
        for event in events:
            try:
                self.add("set_event", event)
            except OSError:
                missing.append(event)
        return missing

    def enable_some(self, event: str, condition: str) -> bool:
        """Turn on those of an event that meet a condition; return whether this kernel has it."""
        try:
            self.write(f"events/{event.replace(':', '/')}/filter", condition)
        except OSError:
            return False
        return not self.enable([event])

    def pipe(self) -> int:
        """Open what was traced for reading without waiting; return the descriptor."""
        return os.open(self.path / "trace_pipe", os.O_RDONLY | os.O_NONBLOCK)

    def filled(self) -> float:
        """Return how full the fullest processor's buffer is, from 0 to 1; 1 where it is unknown."""
        try:
            most = max(told["bytes"] for told in self._stats())
        except (OSError, ValueError, KeyError):
            return 1.0
        return most / (self._each << 10)

    def lost(self) -> int:
        """Return how many events found no room in the buffer."""
        words = ("overrun", "commit overrun", "dropped events")
        return sum(told.get(word, 0) for told in self._stats() for word in words)

    def _stats(self) -> Iterator[dict[str, int]]:
        """Yield the whole numbers that the kernel tells of each processor's buffer."""
        for stats in self._stat_files:
            pairs = (line.partition(":") for line in stats.read_text().splitlines())
            yield {word: int(number) for word, _, number in pairs if number.strip().isdecimal()}

    def remove(self) -> None:
        """Take it away with all that it traced."""
        with suppress(OSError):
            self.path.rmdir()


def _why_no_mount(code: int) -> str:
    if code == errno.ENODEV:
        return "this kernel has no tracefs"
    if code in (errno.EPERM, errno.EACCES):
        return (
            "tracefs may not be mounted: the observer needs CAP_SYS_ADMIN in the machine's own "
            "user namespace, and no AppArmor or SELinux profile that forbids it"
        )
    return f"tracefs cannot be mounted: {os.strerror(code)}"


def _may_be_opened(root: Path) -> None:
    if not (root / "events" / "syscalls").is_dir():
        raise Refused("this kernel traces no system calls (CONFIG_FTRACE_SYSCALLS is not set)")
    try:
        os.close(os.open(root / "trace_clock", os.O_RDONLY))
        clocks = (root / "trace_clock").read_text()
    except OSError as error:
        raise Refused(f"the kernel does not let tracefs be used: {error.strerror}") from None
    if "tai" not in clocks.replace("[", "").replace("]", "").split():
        raise Refused("this kernel has no trace clock 'tai' (it came with Linux 6.1)")
