"""A file on its way in: kept under a hidden name until it is known to be whole."""

import hashlib
import io
import os
import sys
import tempfile
from pathlib import Path
from types import TracebackType

from command import Failure, reason

BUFFER = 1 << 20
"""Bytes of the one buffer that `recv_into` fills again and again."""

HEAD = 300_000
"""Bytes of the file's beginning that are kept, for the MD5 of old Napster clients."""


class CannotWrite(Failure):
    """The disk is full, or the target cannot be written."""


class Arrival:
    """The bytes of one file as they arrive; use it in a `with`.

    They go to a hidden file beside `target`, which `keep` renames; without `keep` it is
    removed. A `target` of `-` is standard output, and one that is there already but is no
    regular file (a FIFO, /dev/null) is written to directly.

    Every error of the disk is raised as CannotWrite and names the target.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.size = 0
        self.head = bytearray()
        self._digest = hashlib.sha256()
        self._partial: str | None = None
        try:
            self._file = self._open()
        except OSError as error:
            raise self._failure(error) from error

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
        """Hex digits of the digest of all bytes so far."""
        return self._digest.hexdigest()

    def write(self, block: bytes | memoryview) -> None:
        """Take the next bytes. Raises CannotWrite when the disk is full or the pipe is closed."""
        rest = memoryview(block)
        self.size += len(rest)
        if len(self.head) < HEAD:
            self.head += rest[: HEAD - len(self.head)]
        self._digest.update(rest)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise self._failure(error) from error

    def restart(self) -> None:
        """Forget all bytes so far. Raises CannotWrite when the target cannot forget."""
        try:
            self._file.seek(0)
            self._file.truncate()
        except OSError as error:
            raise self._failure(error) from error
        self.size = 0
        self.head.clear()
        self._digest = hashlib.sha256()

    def keep(self) -> None:
        """The file is whole: give it its name."""
        try:
            self._file.close()
            if self._partial is not None:
                Path(self._partial).replace(self.target)
                self._partial = None
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> CannotWrite:
        return CannotWrite(f"cannot write {self.target}: {reason(error)}")

    def __enter__(self) -> "Arrival":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        if self._partial is not None:
            Path(self._partial).unlink()


def local_name(name: str) -> str:
    """The name under which a file called `name` by somebody else is stored here.

    Old clients share whole paths (`C:\\music\\a.mp3`): only the last part counts. Raises
    Failure for a name that would be hidden or leave the folder.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    if not last or last.startswith(".") or "\0" in last:
        raise Failure(f"no file can be stored here under the name {name!r}")
    return last
