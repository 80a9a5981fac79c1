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
from contextlib import contextmanager, suppress
from pathlib import Path

from labctl.engine.discarding import discard
from labctl.engine.tarstream import CHUNK, Entry, below
from labctl.errors import UsageError

_MODE_KEPT = 0o755
_MODE_GIVEN = 0o600

_MOST_LINKS = 40
"""Links on one way that Linux follows (path_resolution(7))."""


def unpack(entries: Iterable[Entry], folder: Path, root: str | None) -> list[str]:
    """Write the entries into the folder and return the names of those left out.

    `root` is the first part of all their names, None where they share none. Left out are
    devices, pipes, and links that lead out of the root. All others are written, or, where
    one cannot be, none. Raises OSError, and UsageError where a folder comes to what is none,
    or something else to a folder.
    """
    with _staging(folder) as stage:
        bounds = stage / (root or "")
        plain = {stage}
        skipped = [i.name for i, content in entries if not _write(i, content, plain, stage, bounds)]
        skipped += _drop_escaping(stage, bounds)
        moves = list(_moves(stage, folder))
        for staged, final in moves:  # all of them before the first one is made
            _require_movable(staged, final)
        for staged, final in moves:
            staged.replace(final)
    return skipped


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    stage = Path(tempfile.mkdtemp(prefix=".labctl-", dir=folder.resolve()))
    try:
        yield stage
    finally:
        with suppress(OSError):
            discard(stage)


def _write(
    info: tarfile.TarInfo, content: object, plain: set[Path], stage: Path, bounds: Path
) -> bool:
    """Write one entry; return whether it was.

    `plain` has folders of the stage on the way to which there are no links, and gains more:
    else each part of a deep tree would be looked at again for all that is below it.
    """
    path = stage / info.name
    direct = path.parent in plain and path.name != ".." and not path.is_symlink()
    if not direct and not _inside(stage, path):
        return False
    _make(path.parent)
    if info.isdir():
        path.mkdir(exist_ok=True)
        if direct:
            plain.add(path)
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


def _make(folder: Path) -> None:
    # Not mkdir(parents=True), which calls itself for each one that is missing.
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir()


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


def _moves(stage: Path, folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield what is to be moved where; a folder that is there already gains what is new."""
    ahead = [(stage, folder)]
    while ahead:
        source, target = ahead.pop()
        for staged in sorted(source.iterdir()):
            final = target / staged.name
            if _is_folder(staged) and final.is_dir():
                ahead.append((staged, final))
            else:
                yield staged, final


def _require_movable(staged: Path, final: Path) -> None:
    if _is_folder(final) and not _is_folder(staged):
        raise UsageError(f"{final} is a folder, what comes there is none", "Remove it first.")
    if _is_folder(staged) and os.path.lexists(final):
        raise UsageError(f"{final} is no folder, what comes there is one", "Remove it first.")
    if not os.access(final.parent, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(final.parent))
    if final.parent.stat().st_dev != staged.parent.stat().st_dev:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(final.parent))


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
