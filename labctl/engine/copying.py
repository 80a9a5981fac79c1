"""Copies files and folders between this machine and hosts, and from host to host."""

from __future__ import annotations

import errno
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, cast

from labctl.engine import hostfiles, tarstream
from labctl.engine.client import Engine
from labctl.engine.landing import Place, Source, contents_only, landing
from labctl.engine.tarstream import Entry
from labctl.engine.unpack import unpack
from labctl.errors import MachineError, UsageError, is_disk_full


@dataclass
class Copied:
    """What was copied: `skipped` names what was not (devices, sockets, links that lead out)."""

    files: int = 0
    bytes: int = 0
    skipped: list[str] = field(default_factory=list)


Started = Callable[[int | None], None]
"""Is told the size in bytes, where it is known, before the first byte is copied."""
Moved = Callable[[int], None]
"""Is told each time how many bytes more have been copied."""


def copy(
    engine: Engine,
    source: Place,
    target: Place,
    started: Started = lambda size: None,
    moved: Moved = lambda count: None,
) -> Copied:
    """Copy; what goes to a host belongs to the user that the host runs as.

    Raises UsageError for a path that is not there or does not fit, MachineError for one
    that may not be read or written, a full disk, and a host that goes away.
    """
    if source.host is None and target.host is None:
        raise UsageError(
            f"neither {source} nor {target} is on a host", "Write one of them as HOST:PATH."
        )
    with _told(source, target):
        found = _open_local(source) if source.host is None else _open_on(engine, source)
        try:
            return _copy(engine, source, target, found, started, moved)
        finally:
            found.close()


def _copy(
    engine: Engine, source: Place, target: Place, found: Source, started: Started, moved: Moved
) -> Copied:
    folder, name = _target(engine, target, found)
    copied = Copied(skipped=found.special)
    entries = _counted(tarstream.moved(found.entries, name), copied, moved)
    started(found.size)
    if target.host is None:
        copied.skipped += unpack(entries, Path(folder), name)
        return copied
    archive = tarstream.encode(tarstream.owned(entries, *hostfiles.owner(engine, target.host)))
    if source.host is not None and source.host.container_id == target.host.container_id:
        with _spooled(archive) as whole:  # the engine does not read and write one host at once
            hostfiles.give(engine, target.host, folder, whole)
    else:
        hostfiles.give(engine, target.host, folder, archive)
    return copied


@contextmanager
def _spooled(chunks: Iterable[bytes]) -> Iterator[Iterator[bytes]]:
    with tempfile.TemporaryFile() as file:
        for chunk in chunks:
            file.write(chunk)
        file.seek(0)
        yield iter(lambda: file.read(tarstream.CHUNK), b"")


def _open_local(place: Place) -> Source:
    path = Path(place.path)
    if not path.exists():
        raise UsageError(f"there is no {path}", "Name a file or folder of this machine.")
    all_below = list(tarstream.below(path)) if path.is_dir() else [path]
    size, special = 0, []
    for one in all_below:
        if one.is_symlink() and one is not path:
            continue
        if one.is_file():
            size += one.stat().st_size
        elif not one.is_dir():
            special.append(str(one))
        # Asked before the first byte is sent: a host gets all or nothing.
        if not os.access(one, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(one))
    name = path.name if path.name not in ("", "..") else path.resolve().name or "root"
    entries = tarstream.walk(path, name)
    return Source(name, path.is_dir(), contents_only(place.path), size, entries, special)


def _open_on(engine: Engine, place: Place) -> Source:
    assert place.host is not None
    path = hostfiles.absolute(engine, place.host, place.path)
    found = hostfiles.look(engine, place.host, path)
    if found is None:
        raise UsageError(
            f"host {place.host.name} has no {path}",
            f"`labctl exec {place.host.name} -- ls {PurePosixPath(path).parent}` lists what is "
            "there.",
        )
    name = PurePosixPath(path).name or place.host.name
    chunks = hostfiles.take(engine, place.host, found.path)
    return Source(
        name,
        found.folder,
        contents_only(place.path),
        None if found.folder else found.size,
        tarstream.decode(chunks),
        close=chunks.close,
    )


def _target(engine: Engine, target: Place, source: Source) -> tuple[str, str | None]:
    path, is_folder = target.path, _is_folder_here
    if target.host is not None:
        host = target.host
        path = hostfiles.absolute(engine, host, target.path)

        def is_folder(path: str) -> bool | None:
            found = hostfiles.look(engine, host, path)
            return None if found is None else found.folder

    must_be_folder = target.path.endswith("/")
    return landing(Place(target.host, path), must_be_folder, source, is_folder)


def _is_folder_here(path: str) -> bool | None:
    return Path(path).is_dir() if Path(path).exists() else None


def _counted(entries: Iterable[Entry], copied: Copied, moved: Moved) -> Iterator[Entry]:
    for info, content in entries:
        if content is None:
            yield info, None
            continue
        copied.files += 1
        copied.bytes += info.size
        yield info, cast(IO[bytes], _Telling(content, moved))


class _Telling:
    """Content that tells how much of it is read."""

    def __init__(self, content: IO[bytes], moved: Moved) -> None:
        self._content = content
        self._moved = moved

    def read(self, size: int = -1) -> bytes:
        data = self._content.read(size)
        self._moved(len(data))
        return data


@contextmanager
def _told(source: Place, target: Place) -> Iterator[None]:
    """Turn what this machine refuses, and an archive that is cut off, into a LabctlError."""
    doing = f"{source} cannot be copied to {target}"
    try:
        yield
    except tarfile.TarError as error:
        raise MachineError(f"{doing}: it was cut off ({error})", "Is the host still up?") from error
    except OSError as error:
        path = error.filename or ""
        if is_disk_full(error):
            raise MachineError(f"{doing}: the disk is full", "Free some space first.") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise MachineError(
                f"{doing}: not permitted on this machine: {path}",
                "Choose another path, or change who may read and write it.",
            ) from error
        raise MachineError(f"{doing}: {error}", "Nothing of it can be relied on.") from error
