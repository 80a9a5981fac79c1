"""A file out of a socket at the kernel's speed, and its SHA-256 worked out meanwhile."""

import hashlib
import io
import os
import select
import socket
import threading
import time
from concurrent.futures import Future
from pathlib import Path

from command import Failure, reason

MOST_AT_ONCE = 1 << 30
MOST_REMEMBERED = 4096

LEAST_RATE = 2048
"""Bytes a second a receiver must take to keep its connection."""

SPAN_SECONDS = 30.0
"""The time in which it must have taken as many bytes as LEAST_RATE demands."""

ALLOWED = Path("/proc/sys/net/ipv4/tcp_allowed_congestion_control")
"""The algorithms that a user without privilege may choose, tcp(7)."""

Identity = tuple[int, int, int, int, int]


def send_file(connection: socket.socket, file: io.FileIO, offset: int, end: int) -> None:
    """Send bytes `offset` up to `end` of `file`: sendfile(2), disk to socket inside the kernel.

    In every SPAN_SECONDS the receiver must take LEAST_RATE bytes a second on average, so that
    no slow one holds the sender for ever. A limit for each call (SO_SNDTIMEO) would not do:
    it begins anew with every byte that goes out.

    Raises OSError when the connection breaks, the receiver is slower than that, or the file
    has become shorter.
    """
    writable = select.poll()
    writable.register(connection, select.POLLOUT)
    connection.setblocking(False)
    goal, due = _next_goal(offset)
    while offset < end:
        if writable.poll(max(due - time.monotonic(), 0) * 1000):
            offset += _send_some(connection, file, offset, min(end - offset, MOST_AT_ONCE))
        if time.monotonic() >= due:
            if offset < min(goal, end):
                raise OSError(f"the receiver takes less than {LEAST_RATE} bytes a second")
            goal, due = _next_goal(offset)
    connection.setblocking(True)


def _next_goal(offset: int) -> tuple[int, float]:
    """The byte that must be reached within the next span, and when that span ends."""
    return offset + int(LEAST_RATE * SPAN_SECONDS), time.monotonic() + SPAN_SECONDS


def _send_some(connection: socket.socket, file: io.FileIO, offset: int, count: int) -> int:
    """Send what fits into the socket's buffer; returns the number of bytes, 0 for none."""
    try:
        sent = os.sendfile(connection.fileno(), file.fileno(), offset, count)
    except BlockingIOError:
        return 0
    if sent == 0:
        raise OSError("the file became shorter while it was sent")
    return sent


def set_congestion(sock: socket.socket, name: str) -> None:
    """Choose the algorithm by which `sock` avoids congestion: TCP_CONGESTION, tcp(7).

    Raises Failure when the kernel does not have it or does not allow it.
    """
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())
    except OSError as error:
        allowed = ALLOWED.read_text().split() if ALLOWED.is_file() else ["(unknown)"]
        raise Failure(
            f"congestion control {name!r}: {reason(error)}; allowed here: {', '.join(allowed)}"
        ) from error


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
        """Start on the digest of `file` (or find it known); `result()` gives the hex digits.

        Raises OSError when no further descriptor can be opened.
        """
        identity = _identity(file.fileno())
        with self._lock:
            known = self._known.get(identity)
            if known is not None:
                return known
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            descriptor = os.dup(file.fileno())
            digest: Future[str] = Future()
            self._known[identity] = digest
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
            except Exception as error:
                # Whatever it is: those who wait for the digest must not wait for ever.
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
