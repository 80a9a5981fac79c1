"""The SHA-256 of a file that is still growing: a thread reads what has been written already."""

import mmap
import threading
from typing import Protocol

WINDOW = 1 << 22
"""The most bytes that are mapped at a time."""


class Digest(Protocol):
    """What hashlib's objects can do."""

    def update(self, data: memoryview, /) -> None:
        """Take the next bytes."""


class Follower:
    """Reads a file behind the one who writes it and gives all bytes to a digest.

    What was written a moment ago is still in memory (the page cache), so the disk is not asked;
    and as it is mapped, not read, it is not copied either. While hashlib works it has let go of
    Python's lock: the writer goes on meanwhile, on another processor.
    """

    def __init__(self, descriptor: int, start: int, digest: Digest) -> None:
        """Follow `descriptor` from byte `start` on. Raises RuntimeError when no further thread
        can be started."""
        self._descriptor = descriptor
        self._done = self._size = start
        self._digest = digest
        self._changed = threading.Condition()
        self._ended = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def grown(self, size: int) -> None:
        """The file has `size` bytes now."""
        with self._changed:
            self._size = size
            self._changed.notify_all()

    def catch_up(self) -> None:
        """Return when the digest has all bytes. Raises OSError when they cannot be read."""
        with self._changed:
            while self._done < self._size and self._error is None:
                self._changed.wait()
            if self._error is not None:
                raise self._error

    def stop(self) -> None:
        """End the thread, however far it is."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join()

    def _follow(self) -> None:
        try:
            while (count := self._wait()) > 0:
                self._take(self._done, count)
                with self._changed:
                    self._done += count
                    self._changed.notify_all()
        except Exception as error:
            # Whatever it is: who waits for the digest must not wait for ever.
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _wait(self) -> int:
        """How many bytes to take next; 0 when it has ended."""
        with self._changed:
            while self._done == self._size and not self._ended:
                self._changed.wait()
            return 0 if self._ended else min(self._size - self._done, WINDOW)

    def _take(self, start: int, count: int) -> None:
        """Give `count` bytes from `start` on to the digest. Raises OSError."""
        # A mapping begins at the beginning of a page.
        skipped = start % mmap.ALLOCATIONGRANULARITY
        flags = mmap.MAP_PRIVATE | mmap.MAP_POPULATE
        try:
            mapped = mmap.mmap(
                *(self._descriptor, skipped + count, flags, mmap.PROT_READ),
                offset=start - skipped,
            )
        except ValueError as error:
            raise OSError("the file became shorter while it was written") from error
        with mapped, memoryview(mapped) as pages, pages[skipped:] as data:
            self._digest.update(data)
