"""A file out of a socket at the kernel's speed, and its SHA-256 worked out meanwhile."""

import hashlib
import io
import os
import socket
import threading
from concurrent.futures import Future

MOST_AT_ONCE = 1 << 30
MOST_REMEMBERED = 4096

Identity = tuple[int, int, int, int, int]


def send_file(connection: socket.socket, file: io.FileIO, offset: int, end: int) -> None:
    """Send bytes `offset` up to `end` of `file`: sendfile(2), disk to socket inside the kernel.

    Raises OSError when the connection breaks or stalls, or the file has become shorter.
    """
    while offset < end:
        count = min(end - offset, MOST_AT_ONCE)
        sent = os.sendfile(connection.fileno(), file.fileno(), offset, count)
        if sent == 0:
            raise OSError("the file became shorter while it was sent")
        offset += sent


class Digests:
    """SHA-256 of files: worked out in a thread beside the transfer, remembered while unchanged.

    A file counts as unchanged while device, inode, size, mtime and ctime are the same.
    """

    def __init__(self) -> None:
        self._known: dict[Identity, Future[str]] = {}
        self._lock = threading.Lock()
        # Hashing is all processor: more at once than processors gains nothing.
        self._turn = threading.Semaphore(os.cpu_count() or 1)

    def begin(self, file: io.FileIO) -> "Future[str]":
        """Start on the digest of `file` (or find it known); `result()` gives the hex digits."""
        identity = _identity(file.fileno())
        with self._lock:
            known = self._known.get(identity)
            if known is not None:
                return known
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            digest: Future[str] = Future()
            self._known[identity] = digest
        descriptor = os.dup(file.fileno())
        work = threading.Thread(target=self._work, args=(descriptor, identity, digest), daemon=True)
        try:
            work.start()
        except RuntimeError:
            # The host may start no more threads: then the client has to wait.
            self._work(descriptor, identity, digest)
        return digest

    def _work(self, descriptor: int, identity: Identity, digest: "Future[str]") -> None:
        with self._turn, io.FileIO(descriptor, "r") as file:
            try:
                digest.set_result(hashlib.file_digest(file, "sha256").hexdigest())
                changed = _identity(descriptor) != identity
            except OSError as error:
                digest.set_exception(error)
                changed = True
        if changed:
            with self._lock:
                self._known.pop(identity, None)


def _identity(descriptor: int) -> Identity:
    status = os.fstat(descriptor)
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )
