"""A file on its way in: kept under a hidden name until it is known to be whole."""

import contextlib
import hashlib
import io
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from command import Failure, reason
from splicing import Splicer

BUFFER = 1 << 20
"""Bytes of the one buffer that `recv_into` fills again and again."""

HEAD = 300_000
"""Bytes of the file's beginning that are kept, for the MD5 of old Napster clients."""

LARGE = 64 << 20
"""With as many bytes to come, `take` uses splice(2) instead of recv(2)."""

NEVER = 1 << 63


class CannotWrite(Failure):
    """The disk is full, or the target cannot be written."""


class Arrival:
    """The bytes of one file as they arrive; use it in a `with`.

    They go to a hidden file beside `target`, which `keep` renames; without `keep` it is
    removed. A `target` of `-` is standard output, and one that is there already but is no
    regular file (a FIFO, /dev/null) is written to directly.

    Every error of the disk is raised as CannotWrite and names the target.
    """

    def __init__(self, target: str, *, splice_from: int = LARGE, checked: bool = True) -> None:
        """`splice_from`: bytes still to come from which on `take` uses splice. Unless `checked`,
        no SHA-256 is worked out."""
        self.target = target
        self.size = 0
        self.head = bytearray()
        self._splice_from = splice_from
        self._checked = checked
        self._digest = hashlib.sha256()
        self._buffer = memoryview(b"")
        self._splicer: Splicer | None = None
        self._partial: str | None = None
        with self._disk():
            self._file = self._open()

    def _open(self) -> io.FileIO:
        if self.target == "-":
            return io.FileIO(sys.stdout.fileno(), "w", closefd=False)
        target = Path(self.target)
        if target.exists() and not target.is_file():
            return io.FileIO(target, "w")
        descriptor, self._partial = tempfile.mkstemp(prefix=".part-", dir=target.parent)
        os.fchmod(descriptor, 0o644)
        return io.FileIO(descriptor, "w")

    @property
    def sha256(self) -> str:
        """Hex digits of the digest of all bytes so far. Raises CannotWrite when they cannot be
        read back."""
        if self._splicer is not None:
            with self._disk():
                self._splicer.catch_up()
        return self._digest.hexdigest()

    def take(self, connection: socket.socket, most: int) -> int:
        """Take up to `most` bytes out of `connection`: as many as are there, at least one.

        Returns their number, 0 at the end of the stream. Those of a small file are received
        into a buffer and written from there; those of a large one go through a pipe inside the
        kernel (splicing.py). Raises OSError as recv(2) does, and CannotWrite.
        """
        if self._splicer is None and not self._begin_splicing(most):
            if not self._buffer:
                self._buffer = memoryview(bytearray(BUFFER))
            count = connection.recv_into(self._buffer[:most])
            self.write(self._buffer[:count])
            return count
        assert self._splicer is not None
        count = self._splicer.fill(connection, most)
        with self._disk():
            self._splicer.empty(count)
        self.size += count
        return count

    def write(self, block: bytes | memoryview) -> None:
        """Take the next bytes. Raises CannotWrite when the disk is full or the pipe is closed."""
        rest = memoryview(block)
        count = len(rest)
        self.size += count
        if len(self.head) < HEAD:
            self.head += rest[: HEAD - len(self.head)]
        if self._checked and self._splicer is None:
            self._digest.update(rest)
        with self._disk():
            while rest:
                rest = rest[self._file.write(rest) :]
        if self._splicer is not None:
            self._splicer.grow(count)

    def _begin_splicing(self, most: int) -> bool:
        """Whether the next `most` bytes may go by splice; if so, all is ready for it.

        The head may not: it is wanted here. Nor what goes to a pipe or a device: that could not
        be read back for the digest.
        """
        if most < self._splice_from or len(self.head) < HEAD or self._partial is None:
            return False
        try:
            digest = self._digest if self._checked else None
            self._splicer = Splicer(self._file, self.size, digest)
        except (OSError, RuntimeError):
            # No descriptors or no threads left: recv needs neither.
            self._splice_from = NEVER
            return False
        return True

    def _end_splicing(self) -> None:
        if self._splicer is not None:
            self._splicer.close()
            self._splicer = None

    def restart(self) -> None:
        """Forget all bytes so far. Raises CannotWrite when the target cannot forget."""
        self._end_splicing()
        with self._disk():
            self._file.seek(0)
            self._file.truncate()
        self.size = 0
        self.head.clear()
        self._digest = hashlib.sha256()

    def keep(self) -> None:
        """The file is whole: give it its name."""
        with self._disk():
            if self._splicer is not None:
                self._splicer.catch_up()
            self._end_splicing()
            self._file.close()
            if self._partial is not None:
                Path(self._partial).replace(self.target)
                self._partial = None

    @contextlib.contextmanager
    def _disk(self) -> Iterator[None]:
        """What raises OSError in here is the disk's fault."""
        try:
            yield
        except OSError as error:
            raise CannotWrite(f"cannot write {self.target}: {reason(error)}") from error

    def __enter__(self) -> "Arrival":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_splicing()
        self._file.close()
        if self._partial is not None:
            Path(self._partial).unlink(missing_ok=True)


def local_name(name: str) -> str:
    """The name under which a file called `name` by somebody else is stored here.

    Old clients share whole paths (`C:\\music\\a.mp3`): only the last part counts. Raises
    Failure for a name that would be hidden or leave the folder.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    if not last or last.startswith(".") or "\0" in last:
        raise Failure(f"no file can be stored here under the name {name!r}")
    return last


def path_in(folder: str, name: str) -> str:
    """The path in `folder` of a file called `name` by somebody else; never `-`, which is standard
    output. Raises Failure as `local_name` does."""
    path = str(Path(folder) / local_name(name))
    return "./-" if path == "-" else path
