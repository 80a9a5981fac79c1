"""Tar archives as streams: nothing is ever held whole in memory.

The engine takes and gives files as tar archives. An archive here is an iterator of
entries, so that renaming and changing owners are steps between its source and its target.
"""

from __future__ import annotations

import copy
import io
import os
import stat
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Self

Entry = tuple[tarfile.TarInfo, IO[bytes] | None]
"""A member's header and, for an ordinary file, its content, to be read before the next."""

CHUNK = 1 << 20
"""Bytes that are read and sent at once."""

_BLOCK = 512


class Shrunk(OSError):
    """A file became shorter while it was read."""


def walk(source: Path, root: str) -> Iterator[Entry]:
    """Yield the entries for a file, or a folder and all in it; `root` is the first one's name.

    A link in the folder stays a link; sockets, pipes and devices are left out.
    Raises OSError for what cannot be read.
    """
    yield from _entry(source, root, source.stat())
    if source.is_dir():
        for path in below(source):
            yield from _entry(path, f"{root}/{path.relative_to(source)}", path.lstat())


def below(folder: Path) -> Iterator[Path]:
    """Yield all that is in a folder, in the order of names, a folder before what is in it."""
    ahead = _reversed(folder)
    while ahead:
        path = ahead.pop()
        yield path
        if path.is_dir() and not path.is_symlink():
            ahead += _reversed(path)


def _reversed(folder: Path) -> list[Path]:
    with os.scandir(folder) as found:
        return [folder / name for name in sorted((item.name for item in found), reverse=True)]


def _entry(path: Path, name: str, status: os.stat_result) -> Iterator[Entry]:
    info = tarfile.TarInfo(name)
    info.mode = stat.S_IMODE(status.st_mode)
    info.mtime = int(status.st_mtime)
    if stat.S_ISREG(status.st_mode):
        with path.open("rb") as content:
            info.size = os.fstat(content.fileno()).st_size
            yield info, content
    elif stat.S_ISDIR(status.st_mode):
        info.type = tarfile.DIRTYPE
        yield info, None
    elif stat.S_ISLNK(status.st_mode):
        info.type = tarfile.SYMTYPE
        info.linkname = str(path.readlink())
        yield info, None


def encode(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield the bytes of an archive of the entries (pax format, POSIX.1-2001).

    Raises Shrunk when a file ends before its size.
    """
    for info, content in entries:
        yield info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
        if content is not None:
            yield from _content(info, content)
    yield bytes(2 * _BLOCK)


def _content(info: tarfile.TarInfo, content: IO[bytes]) -> Iterator[bytes]:
    left = info.size
    while left:
        data = content.read(min(CHUNK, left))
        if not data:
            raise Shrunk(f"{info.name} became shorter while it was copied")
        left -= len(data)
        yield data
    yield bytes(-info.size % _BLOCK)


def decode(chunks: Iterable[bytes]) -> Iterator[Entry]:
    """Yield the entries of the archive whose bytes come in chunks.

    Raises tarfile.TarError for what is no archive or ends too early.
    """
    source = _Chunks(chunks)
    with tarfile.open(fileobj=source, mode="r|", bufsize=CHUNK, tarinfo=_Header) as archive:
        for info in archive:
            yield info, archive.extractfile(info) if info.isreg() else None


def moved(entries: Iterable[Entry], root: str | None) -> Iterator[Entry]:
    """Yield the entries with the first part of their names, which all share, replaced.

    `root` None drops that part, and the folder itself.
    """
    for info, content in entries:
        name = _moved(info.name, root)
        if not name:
            continue
        fresh = _changeable(info)
        fresh.name = name
        if info.islnk():
            fresh.linkname = _moved(info.linkname, root)
        yield fresh, content


def _moved(name: str, root: str | None) -> str:
    _, _, rest = name.partition("/")  # of the whole system it is the empty name
    return "/".join(part for part in (root, rest.strip("/")) if part)


def owned(entries: Iterable[Entry], uid: int, gid: int) -> Iterator[Entry]:
    """Yield the entries with another owner; names would win over numbers, so they go."""
    for info, content in entries:
        fresh = _changeable(info)
        fresh.uid, fresh.gid, fresh.uname, fresh.gname = uid, gid, "", ""
        yield fresh, content


def _changeable(info: tarfile.TarInfo) -> tarfile.TarInfo:
    fresh = copy.copy(info)
    fresh.pax_headers = {}  # they would win over what is changed
    return fresh


class _Header(tarfile.TarInfo):
    """A header that is whole: tarfile takes an archive without its end for a whole one."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except tarfile.HeaderError as error:
            if isinstance(error, tarfile.EOFHeaderError):  # type: ignore[attr-defined]
                raise
            raise tarfile.ReadError("the archive has no end") from error


class _Chunks(io.RawIOBase):
    """A reader of bytes that come in chunks."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._left = memoryview(b"")

    def read(self, size: int = -1, /) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        parts: list[memoryview] = []
        wanted = size
        while wanted:
            if not self._left:
                self._left = memoryview(next(self._chunks, b""))
                if not self._left:
                    break
            part = self._left[:wanted]
            self._left = self._left[len(part) :]
            wanted -= len(part)
            parts.append(part)
        return b"".join(parts)
