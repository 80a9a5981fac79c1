"""Writes files whole or not at all, and tells beforehand whether that can be."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from labctl.errors import LabctlError, MachineError, UsageError


def is_folder(path: Path) -> bool:
    """Tell whether a path is a folder; one where nobody may look is none."""
    try:
        return path.is_dir()
    except OSError:  # or no name is that long
        return False


def require_writable(file: Path) -> None:
    """Raise UsageError unless a file of that name can be made, or written where it is a device."""
    if is_folder(file):
        raise UsageError(f"{file} cannot be written: it is a folder", "Name a file in it.")
    try:
        if _is_special(file):
            if not os.access(file, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        else:
            part = _part(file)
            part.open("xb").close()
            part.unlink()
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written: {error.strerror}", "Name a file in a folder of yours."
        ) from error


def require_suffixes(
    files: Iterable[Path],
    suffixes: Iterable[str],
    unknown: str = "nothing is known of files ending in {suffix}",
) -> None:
    """Raise UsageError unless each file can be written and its suffix is one of `suffixes`;
    `unknown` says that it is none, of a `suffix`."""
    known = list(suffixes)
    for file in files:
        if file.suffix not in known:
            raise UsageError(
                f"{file}: {unknown.format(suffix=file.suffix or 'no suffix')}",
                f"End it in one of {', '.join(known)}.",
            )
        if not is_folder(file.parent):
            raise UsageError(f"{file}: there is no folder {file.parent}", "Make it first.")
        require_writable(file)


def write_each(
    files: Sequence[Path], write: Callable[[Path], int], told: Callable[[str], None]
) -> LabctlError | None:
    """Have `write` write each file, and tell a line of each with the bytes it returned.

    One that cannot be written keeps no other from it; what was wrong is returned.
    """
    wrong = []
    for file in files:
        try:
            size = write(file)
        except LabctlError as error:
            wrong.append(error)
        else:
            told(f"{file}: {size:,} bytes")
    if len(wrong) < 2:
        return next(iter(wrong), None)
    return MachineError("\n".join(error.message for error in wrong), wrong[0].hint)


def show_and_write(
    show: Callable[[], None],
    files: Sequence[Path],
    write: Callable[[Path], int],
    told: Callable[[str], None],
) -> LabctlError | None:
    """Show something, then write each file as `write_each` does, whatever becomes of the showing.

    Returns what was wrong with the files; what showing it raises is raised after they are written.
    """
    try:
        show()
    finally:
        unwritten = write_each(files, write, told)
    return unwritten


def write_whole(file: Path, blocks: Iterable[bytes]) -> int:
    """Write a file; return how many bytes that were.

    A device or a FIFO is written to, a symbolic link followed. Raises MachineError where it
    cannot be written; nothing half-written is left then.
    """
    try:
        if _is_special(file):
            with file.open("wb") as target:
                return sum(target.write(block) for block in blocks)
        return _write_and_rename(_part(file), Path(os.path.realpath(file)), blocks)
    except OSError as error:
        raise MachineError(
            f"{file} cannot be written: {error.strerror}", "Name another file."
        ) from error


def _write_and_rename(part: Path, file: Path, blocks: Iterable[bytes]) -> int:
    try:
        with part.open("xb") as target:
            size = sum(target.write(block) for block in blocks)
        part.replace(file)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    return size


def _is_special(file: Path) -> bool:
    """Tell whether a path is there and is a device, a FIFO or the like: no regular file."""
    return file.exists() and not file.is_file()


def _part(file: Path) -> Path:
    """Return where a file is until it is whole: beside it, by a name that nothing has."""
    return Path(os.path.realpath(file)).with_name(f".{secrets.token_hex(8)}.part")
