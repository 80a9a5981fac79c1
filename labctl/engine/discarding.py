"""Removes a folder with all in it, however deep: neither the interpreter's stack nor the
number of open files, nor the longest path of a call, bounds how far down it gets.
"""

from __future__ import annotations

import os
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def discard(folder: Path) -> None:
    """Remove the folder, of which nobody else makes use. Raises OSError.

    shutil.rmtree of Python 3.11 holds a descriptor and a frame for each level.
    """
    way: list[str] = []
    here = os.open(folder, _FOLDER)
    try:
        while True:
            inner = _emptied(here)
            if inner is not None:
                here = _moved(here, inner)
                way.append(inner)
            elif way:
                here = _moved(here, "..")
                os.rmdir(way.pop(), dir_fd=here)
            else:
                break
    finally:
        os.close(here)
    folder.rmdir()


def _emptied(folder: int) -> str | None:
    """Remove what is in a folder up to the first folder, and return that one's name."""
    with os.scandir(folder) as found:
        for item in found:
            if item.is_dir(follow_symlinks=False):
                return item.name
            os.unlink(item.name, dir_fd=folder)
    return None


def _moved(here: int, name: str) -> int:
    there = os.open(name, _FOLDER, dir_fd=here)
    os.close(here)
    return there
