"""Writes the files that come from a host, which nobody has to trust, below one folder.

As tarfile's `data` filter (PEP 706), which older releases of Python 3.11 lack: nothing is
written outside the folder, and no link leads out of what was copied.
"""

from __future__ import annotations

import errno
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from labctl.engine.tarstream import CHUNK, Entry, below

_MODE_KEPT = 0o755
_MODE_GIVEN = 0o600

_MOST_LINKS = 40
"""Links on one way that Linux follows (path_resolution(7))."""


def unpack(entries: Iterable[Entry], folder: Path, root: str | None) -> list[str]:
    """Write the entries into the folder and return the names of those left out.

    `root` is the first part of all their names, None where they share none. Left out are
    devices, pipes, and links that lead out of the root. All others are written, or, where
    one cannot be, none. Raises OSError.
    """
    with _staging(folder) as stage:
        bounds = stage / (root or "")
        skipped = [i.name for i, content in entries if not _write(i, content, stage, bounds)]
        skipped += _drop_escaping(stage, bounds)
        for path in sorted(stage.iterdir()):
            _settle(path, folder / path.name)
    return skipped


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    stage = Path(tempfile.mkdtemp(prefix=".labctl-", dir=folder.resolve()))
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _write(info: tarfile.TarInfo, content: object, stage: Path, bounds: Path) -> bool:
    if not _inside(stage, stage / info.name):
        return False
    path = stage / info.name
    path.parent.mkdir(parents=True, exist_ok=True)
    if info.isdir():
        path.mkdir(exist_ok=True)
    elif info.issym():
        return _write_link(info, path, bounds)
    elif info.islnk():
        return _write_hard_link(stage / info.linkname, path, stage)
    elif hasattr(content, "read"):
        with path.open("xb") as file:
            shutil.copyfileobj(content, file, CHUNK)
            os.fchmod(file.fileno(), info.mode & _MODE_KEPT | _MODE_GIVEN)
        os.utime(path, (info.mtime, info.mtime))
    else:
        return False
    return True


def _write_link(info: tarfile.TarInfo, path: Path, bounds: Path) -> bool:
    if Path(info.linkname).is_absolute() or not _inside(bounds, path.parent / info.linkname):
        return False
    path.symlink_to(info.linkname)
    return True


def _write_hard_link(target: Path, path: Path, stage: Path) -> bool:
    if not _inside(stage, target) or target.is_symlink() or not target.is_file():
        return False
    os.link(target, path)
    return True


def _drop_escaping(stage: Path, bounds: Path) -> list[str]:
    """Remove the links that lead out of the bounds; return their names.

    What came after a link may have changed where it leads: of `l -> e/../..` nobody can
    tell before `e` is there.
    """
    dropped: list[str] = []
    while escaping := [path for path in _links(stage) if not _inside(bounds, path)]:
        for path in escaping:
            path.unlink()
            dropped.append(str(path.relative_to(stage)))
    return dropped


def _links(folder: Path) -> list[Path]:
    return [path for path in below(folder) if path.is_symlink()]


def _inside(folder: Path, path: Path) -> bool:
    """Return whether a path leads below the folder, through all the links there are by now.

    `folder` is a path without links on it.
    """
    real = _real(path)
    return real is not None and real.is_relative_to(folder)


def _real(path: Path) -> Path | None:
    """Return where an absolute path leads, None where the kernel would not follow it.

    As realpath(3) with parts that may be missing; but os.path.realpath takes a part for
    an ordinary one when the way to it has become too long to be looked at, and so is led
    astray (CVE-2025-4517).
    """
    done, ahead, links = Path("/"), list(reversed(path.parts[1:])), 0
    while ahead:
        part = ahead.pop()
        if part == "..":
            done = done.parent
            continue
        there = done / part
        try:
            target = there.readlink()
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOENT, errno.ENOTDIR):
                return None
            done = there
            continue
        links += 1
        if links > _MOST_LINKS:
            return None
        if target.is_absolute():
            done = Path("/")
        ahead += reversed([part for part in target.parts if part != target.anchor])
    return done


def _settle(staged: Path, final: Path) -> None:
    """Move what was written to its place; a folder that is there already gains what is new."""
    if staged.is_dir() and not staged.is_symlink() and final.is_dir():
        for path in sorted(staged.iterdir()):
            _settle(path, final / path.name)
    else:
        staged.replace(final)
