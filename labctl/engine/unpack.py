"""Writes the files that come from a host, which nobody has to trust, below one folder.

As tarfile's `data` filter (PEP 706), which older releases of Python 3.11 lack: nothing is
written outside the folder, and no link leads out of what was copied.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from labctl.engine.tarstream import CHUNK, Entry

_MODE_KEPT = 0o755
_MODE_GIVEN = 0o600


def unpack(entries: Iterable[Entry], folder: Path, root: str | None) -> list[str]:
    """Write the entries into the folder and return the names of those left out.

    `root` is the first part of all their names, None where they share none. Left out are
    devices, pipes, and links that lead out of the root. All others are written, or, where
    one cannot be, none. Raises OSError.
    """
    with _staging(folder) as stage:
        bounds = stage / (root or "")
        skipped = [i.name for i, content in entries if not _write(i, content, stage, bounds)]
        for path in sorted(stage.iterdir()):
            _settle(path, folder / path.name)
    return skipped


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    stage = Path(tempfile.mkdtemp(prefix=".labctl-", dir=folder))
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


def _inside(folder: Path, path: Path) -> bool:
    """Return whether a path leads below the folder, through all the links there are by now."""
    return path.resolve().is_relative_to(folder.resolve())


def _settle(staged: Path, final: Path) -> None:
    """Move what was written to its place; a folder that is there already gains what is new."""
    if staged.is_dir() and not staged.is_symlink() and final.is_dir():
        for path in sorted(staged.iterdir()):
            _settle(path, final / path.name)
    else:
        staged.replace(final)
