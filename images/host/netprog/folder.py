"""Opening a file of a shared folder, and nothing else, for a stranger who names it."""

import io
import os
import stat
from pathlib import Path


class NotShared(Exception):
    """The name is no file that may be given away. The text says no more than that."""

    def __init__(self) -> None:
        super().__init__("no such file")


def is_readable(folder: str) -> bool:
    """Whether there is such a folder and its files can be listed and opened."""
    return Path(folder).is_dir() and os.access(folder, os.R_OK | os.X_OK)


def open_shared(folder: str, name: str) -> io.FileIO:
    """The regular file `name` directly inside `folder`, opened for reading.

    Refused: a name with a slash, a name that starts with a dot (that covers `.`, `..` and
    files still being written), a symbolic link, and whatever is no regular file. The check
    cannot be raced: the kernel looks the one name up in the open folder (openat(2)) and
    follows no link (O_NOFOLLOW), and the kind is read from the descriptor itself. O_NONBLOCK
    keeps a FIFO without a writer from blocking the open.

    Raises NotShared for all of these, and when there is no such file.
    """
    if not name or name.startswith(".") or "/" in name or "\0" in name:
        raise NotShared
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            descriptor = os.open(name, flags, dir_fd=inside)
        finally:
            os.close(inside)
    except OSError as error:
        raise NotShared from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotShared
    return io.FileIO(descriptor, "r")
