"""Settings of a TCP socket that several programs need, and connecting with patience."""

import errno
import socket
import struct
import time
from collections.abc import Callable
from typing import TypeVar

from command import Failure, endpoint, reason

T = TypeVar("T")

CONNECT_SECONDS = 10.0
"""How long one `connect` may take: four SYNs (at 0, 1, 3 and 7 s) get their chance."""

NOT_YET = {
    errno.ECONNREFUSED,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.ETIMEDOUT,
    errno.EINPROGRESS,
    errno.EAGAIN,
    errno.ECONNRESET,
}
"""What `connect` says of a server that is not there yet (or no longer)."""


def set_timeouts(sock: socket.socket, seconds: float) -> None:
    """Let no call that receives or sends on `sock` block longer than `seconds`.

    SO_RCVTIMEO and SO_SNDTIMEO, socket(7): the socket stays blocking, the kernel counts.
    Afterwards the call raises BlockingIOError.
    """
    # 0 would mean no limit at all.
    seconds = max(seconds, 0.001)
    whole = int(seconds)
    timeval = struct.pack("@ll", whole, int((seconds - whole) * 1_000_000))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval)


def notice_silence(sock: socket.socket) -> None:
    """Let the kernel end the connection about 10 s after the other host has vanished.

    Keepalive finds it when there is nothing to send, TCP_USER_TIMEOUT when something waits
    for its acknowledgement (tcp(7)).
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 4)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 10_000)


def listen_on(host: str, port: int, backlog: int) -> socket.socket:
    """A TCP socket that listens on `host`:`port`: socket, bind, listen.

    Raises Failure when the port is taken, not permitted, or the address is not this host's.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # Old connections in TIME_WAIT must not keep a new server from the port.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(backlog)
    except OSError as error:
        sock.close()
        raise Failure(f"cannot listen on {endpoint((host, port))}: {reason(error)}") from error
    return sock


def connect_to(host: str, port: int, seconds: float) -> socket.socket:
    """A socket connected to `host`:`port` whose calls block for at most `seconds`.

    Raises OSError as connect(2) and getaddrinfo(3) report it.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        set_timeouts(sock, min(seconds, CONNECT_SECONDS))
        sock.connect((host, port))
        set_timeouts(sock, seconds)
    except OSError:
        sock.close()
        raise
    return sock


def is_not_yet(error: OSError) -> bool:
    """Whether the same connect may work later."""
    return isinstance(error, socket.gaierror) or error.errno in NOT_YET


def until(deadline: float, attempt: Callable[[], T]) -> T:
    """The value of `attempt()`, tried again until `deadline` (time.monotonic) while it is refused.

    The pause between two tries doubles from 50 ms to 1 s. Raises the last error.
    """
    pause = 0.05
    while True:
        try:
            return attempt()
        except OSError as error:
            left = deadline - time.monotonic()
            if left <= 0 or not is_not_yet(error):
                raise
        time.sleep(min(pause, left))
        pause = min(pause * 2, 1.0)
