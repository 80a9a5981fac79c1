"""Standard output and error of the command: what to do where nobody takes what is written.

Output whose reader has gone (`labctl list | true`) ends the command, as SIGPIPE ends others. That
signal is ignored nevertheless: a command has labs to take down, and sockets to the engine. So it
is told by an exception that nobody on the way takes for an error to be dealt with.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from labctl.errors import MachineError, is_disk_full

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

READER_GONE = 141
"""The exit code where the reader of the output has gone: 128 + SIGPIPE, as a shell has it."""


class ReaderGone(BaseException):
    """Nobody reads standard output any more: there is nothing left to do, and nobody to tell."""


class _Output(io.FileIO):
    """A descriptor for results. Where one cannot be written it raises ReaderGone or MachineError,
    once: whatever follows goes nowhere, also what Python writes at its end."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except BlockingIOError:
            raise
        except OSError as error:
            drop()
            if error.errno == errno.EPIPE:
                raise ReaderGone from error
            raise _unwritable(error) from error


class _Remarks(io.FileIO):
    """A descriptor for what is said beside the results: they are no worse without it."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def take() -> None:
    """Have this process write its standard output and error so, from now on."""
    sys.stdout = _taken(sys.stdout, _Output)
    sys.stderr = _taken(sys.stderr, _Remarks)


def flush() -> None:
    """Write what standard output still holds. Raises ReaderGone, MachineError."""
    sys.stdout.flush()


def drop() -> None:
    """Have all that is still written to standard output go nowhere, at Python's end too."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _taken(stream: TextIO | None, kind: type[io.FileIO]) -> TextIO:
    if stream is None:  # it was closed when the process began
        return Path(os.devnull).open("w", encoding="utf-8")
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.flush()
    raw = kind(stream.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering or stream.write_through,
    )


def _unwritable(error: OSError) -> MachineError:
    hint = "Send it to a file, or to a program that reads it."
    if is_disk_full(error) or error.errno == errno.EFBIG:
        hint = "Make room there, or send it elsewhere."
    return MachineError(f"standard output cannot be written: {error.strerror}", hint)
