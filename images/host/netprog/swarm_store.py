"""The pieces of a file on the disk: there already, or arriving in any order."""

import hashlib
import os
import tempfile
from pathlib import Path

from command import reason
from manifest import Manifest
from receiving import CannotWrite


class Store:
    """An open file whose pieces are read; see `Partial` for one that is still to come."""

    def __init__(self, manifest: Manifest, descriptor: int) -> None:
        self.manifest = manifest
        self._descriptor = descriptor

    def read(self, piece: int) -> bytes:
        """The bytes of a piece that is there. Raises OSError, also when the file is shorter."""
        offset, size = self.manifest.span(piece)
        data = os.pread(self._descriptor, size, offset)
        if len(data) != size:
            raise OSError("the file became shorter while it was given away")
        return data

    def sha256(self) -> str:
        """Of the whole file, as hex digits. Raises OSError."""
        digest = hashlib.sha256()
        for piece in range(self.manifest.pieces):
            digest.update(self.read(piece))
        return digest.hexdigest()

    def close(self) -> None:
        os.close(self._descriptor)


class Partial(Store):
    """A file on its way in, under a hidden name beside `target` until `keep`; use `discard` when
    nothing comes of it. Raises CannotWrite when the disk is full or cannot be written."""

    def __init__(self, manifest: Manifest, target: Path) -> None:
        self.target = target
        self._path: str | None = None
        try:
            descriptor, self._path = tempfile.mkstemp(prefix=".part-", dir=target.parent)
            super().__init__(manifest, descriptor)
            os.fchmod(descriptor, 0o644)
            os.truncate(descriptor, manifest.size)
        except OSError as error:
            if self._path is not None:
                self.discard()
            raise self._failure(error) from error

    def write(self, piece: int, data: bytes) -> None:
        """Put a right piece in its place."""
        offset, _ = self.manifest.span(piece)
        rest = memoryview(data)
        try:
            while rest:
                count = os.pwrite(self._descriptor, rest, offset)
                rest, offset = rest[count:], offset + count
        except OSError as error:
            raise self._failure(error) from error

    def keep(self) -> None:
        """All pieces are there: give the file its name. It can still be read from."""
        assert self._path is not None
        try:
            Path(self._path).replace(self.target)
        except OSError as error:
            raise self._failure(error) from error
        self._path = None

    def discard(self) -> None:
        """Close the file; remove it unless it was kept."""
        self.close()
        if self._path is not None:
            Path(self._path).unlink(missing_ok=True)
            self._path = None

    def _failure(self, error: OSError) -> CannotWrite:
        return CannotWrite(f"cannot write {self.target}: {reason(error)}")
