"""Writes files whole or not at all, and tells beforehand whether that can be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from labctl.errors import LabctlError, MachineError, UsageError


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
