"""Bytes out of a socket into a file without a copy to this process: splice(2), twice."""

import contextlib
import errno
import fcntl
import io
import os
import select
import socket

from following import Digest, Follower

PIPE = 1 << 20
"""Bytes the pipe may hold: the most that an ordinary user may ask for (pipe(7)). By itself it
holds 64 KiB, and the two calls would take turns sixteen times as often."""

AT_ONCE = 1 << 19
"""Bytes written by one call. The page cache takes each in as large a piece as it can, and pieces of
1 MiB of memory are hard to find: to look for them takes longer than all the rest."""

AHEAD = 64 << 20
"""Bytes that the file system finds room for beforehand, at once instead of page by page. No more:
how many will come is only what the sender says."""

REFUSALS = {errno.EINVAL, errno.ENOSYS}
"""What splice(2) says when it does not work for that socket or that file system."""


class Splicer:
    """A pipe between sockets and one file, and the digest of what goes through it.

    splice(2) moves pages between a descriptor and a pipe, so the way from socket to file is
    two calls: from the socket into the pipe, where nothing is copied, and from there into the
    file. The bytes never come by here; their digest is worked out behind (following.py).
    """

    def __init__(self, file: io.FileIO, size: int, digest: Digest | None) -> None:
        """Go on with `file` and the digest of its `size` bytes; with None there is none.

        Raises OSError when there is no descriptor left, RuntimeError when there is no thread.
        """
        self._file = file
        self._size = self._reserved = size
        self._read_end, self._write_end = os.pipe()
        self._follower: Follower | None = None
        try:
            if digest is not None:
                self._follower = Follower(file.fileno(), size, digest)
        except RuntimeError:
            self.close()
            raise
        with contextlib.suppress(OSError):
            # Refused when the user's pipes hold much already: then it is slower.
            fcntl.fcntl(self._write_end, fcntl.F_SETPIPE_SZ, PIPE)

    def fill(self, connection: socket.socket, most: int) -> int:
        """Move up to `most` bytes from the socket into the pipe: as many as are there, at least
        one; 0 at the end of the stream. Raises OSError as recv(2) does."""
        if self._size >= self._reserved:
            self._reserve(min(most, AHEAD))
        try:
            return os.splice(connection.fileno(), self._write_end, min(most, PIPE))
        except OSError as error:
            if error.errno not in REFUSALS:
                raise
        return os.write(self._write_end, connection.recv(min(most, select.PIPE_BUF)))

    def _reserve(self, count: int) -> None:
        self._reserved = self._size + count
        with contextlib.suppress(OSError):  # where it is full, or cannot do that, writing will tell
            os.posix_fallocate(self._file.fileno(), self._size, count)

    def empty(self, count: int) -> None:
        """Move the `count` bytes that are in the pipe to the end of the file.

        Raises OSError as write(2) does.
        """
        left = count
        while left:
            try:
                left -= os.splice(self._read_end, self._file.fileno(), min(left, AT_ONCE))
            except OSError as error:
                if error.errno not in REFUSALS:
                    raise
                piece = memoryview(os.read(self._read_end, left))
                left -= len(piece)
                while piece:
                    piece = piece[self._file.write(piece) :]
        self.grow(count)

    def grow(self, count: int) -> None:
        """So many more bytes are in the file, by whichever way."""
        self._size += count
        if self._follower is not None:
            self._follower.grown(self._size)

    def catch_up(self) -> None:
        """Return when the digest has all bytes. Raises OSError when they cannot be read back."""
        if self._follower is not None:
            self._follower.catch_up()

    def close(self) -> None:
        """Close the pipe and end the digest, however far they are; the file stays open, and ends
        with the last byte that came."""
        with contextlib.suppress(OSError):
            self._file.truncate(self._size)
        os.close(self._read_end)
        os.close(self._write_end)
        if self._follower is not None:
            self._follower.stop()
