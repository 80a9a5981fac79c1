"""How far other hosts are: the time of a real round trip to each, in seconds.

`tcp`: from the SYN to the SYN-ACK, as connect(2) sees it; a RST is an answer as well.
`icmp`: an echo request and its reply, through the socket for ordinary users (icmp(7):
net.ipv4.ping_group_range), or else through the system's `ping`.
"""

import os
import re
import select
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterable

from command import Failure

PROBES = 3
"""Round trips to each host, of which the shortest counts: the others have waited in queues."""

PATIENCE = 2.0
"""Seconds for one answer."""

MOST_AT_ONCE = 16
USUAL_PORT = 6699

Address = tuple[str, int]


def tcp(address: Address) -> float | None:
    """Seconds until a connection stands or is refused; None when nothing answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.settimeout(PATIENCE)
        began = time.perf_counter()
        try:
            sock.connect((address[0], address[1] or USUAL_PORT))
        except ConnectionRefusedError:
            pass
        except OSError:
            return None
        return time.perf_counter() - began


def icmp(address: Address) -> float | None:
    """Seconds until the echo reply; None when none comes."""
    try:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    except PermissionError:
        return _by_ping(address[0])
    with sock:
        try:
            sock.connect((address[0], 0))
            mark = os.urandom(8)
            began = time.perf_counter()
            # Type 8, code 0; the kernel fills in checksum and identifier.
            sock.send(struct.pack("!BBHHH", 8, 0, 0, 0, 1) + mark)
            while (left := began + PATIENCE - time.perf_counter()) > 0:
                if not _readable(sock, left):
                    return None
                if sock.recv(512)[8:] == mark:
                    return time.perf_counter() - began
        except OSError:
            return None
    return None


def can_echo() -> bool:
    """Whether an ordinary user of this host can send an echo request."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).close()
    except PermissionError:
        return shutil.which("ping") is not None
    return True


def _readable(sock: socket.socket, seconds: float) -> bool:
    watched = select.poll()
    watched.register(sock, select.POLLIN)
    return bool(watched.poll(seconds * 1000))


def _by_ping(ip: str) -> float | None:
    words = ["ping", "-n", "-q", "-c", "1", "-W", str(int(PATIENCE)), ip]
    try:
        told = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    except OSError:
        return None
    match = re.search(r"= ([\d.]+)/", told)
    return float(match[1]) / 1000 if match else None


WAYS: dict[str, Callable[[Address], float | None]] = {"tcp": tcp, "icmp": icmp}


def measure(addresses: Iterable[Address], how: str) -> dict[Address, float | None]:
    """The shortest of a few round trips to each address, seconds; None: no answer.

    Many hosts are measured at once, each probe after the one before. Raises Failure where
    this host can send no echo request.
    """
    if how == "icmp" and not can_echo():
        raise Failure("this host permits no ICMP socket and has no `ping`: measure with --ping tcp")
    probe = WAYS[how]
    left = list(dict.fromkeys(addresses))
    found: dict[Address, float | None] = {}
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                if not left:
                    return
                address = left.pop()
            shortest = None
            for _ in range(PROBES):
                took = probe(address)
                if took is None:
                    break
                shortest = took if shortest is None else min(shortest, took)
            with lock:
                found[address] = shortest

    workers = [threading.Thread(target=work) for _ in range(min(len(left), MOST_AT_ONCE))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return found


def text(seconds: float | None) -> str:
    """A round trip for people, in milliseconds."""
    return "no answer" if seconds is None else f"{seconds * 1000:.3f} ms"
