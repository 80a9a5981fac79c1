"""Writes files whole or not at all, and tells beforehand whether that can be."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from labctl.errors import MachineError, UsageError


def is_folder(path: Path) -> bool:
    """Tell whether a path is a folder; one where nobody may look is none."""
    try:
        return path.is_dir()
    except OSError:  # or no name is that long
        return False


def require_writable(file: Path) -> None:
    """Raise UsageError unless a file of that name can be made."""
    if is_folder(file):
        raise UsageError(f"{file} cannot be written: it is a folder", "Name a file in it.")
    part = _part(file)
    try:
        part.open("wb").close()
        part.unlink()
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written: {error.strerror}", "Name a file in a folder of yours."
        ) from error


def write_whole(file: Path, blocks: Iterable[bytes]) -> int:
    """Write a file; return how many bytes that were.

    Raises MachineError where it cannot be written; nothing half-written is left then.
    """
    part = _part(file)
    try:
        with part.open("wb") as target:
            size = sum(target.write(block) for block in blocks)
        part.replace(file)
    except OSError as error:
        raise MachineError(
            f"{file} cannot be written: {error.strerror}", "Name another file."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return size


def _part(file: Path) -> Path:
    """Return where a file is until it is whole."""
    return file.with_name(f".{file.name}.part")
