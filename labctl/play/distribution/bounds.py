"""The least time in which N hosts can have a file, whoever sends it. Pure.

Kurose and Ross, Computer Networking, the section on P2P file distribution: F is the file's size
in bits, us the rate at which the server or seed can send, dmin the rate at which the slowest
host can receive, u_i the rate at which host i can send. Only the links count: the file's own bits,
no headers, no handshakes, no processors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def client_server(n: int, size: int, us: float, dmin: float = math.inf) -> float:
    """Return max(N·F/us, F/dmin) in seconds: the server sends each of N hosts a copy.

    `size` is in bytes, rates are in bits a second.
    """
    bits = size * 8
    return max(n * bits / us, bits / dmin)


def peer_to_peer(size: int, us: float, uploads: Sequence[float], dmin: float = math.inf) -> float:
    """Return max(F/us, F/dmin, N·F/(us + Σu_i)) in seconds, for as many hosts as `uploads`.

    Each bit must leave the seed once, and N copies must leave somewhere.
    `size` is in bytes, rates are in bits a second.
    """
    bits = size * 8
    return max(bits / us, bits / dmin, len(uploads) * bits / (us + sum(uploads)))
