#!/usr/bin/python3
"""Makes a router's networks far from each other: what it forwards arrives a while later.

For a kernel without netem. Every packet that the router is to forward is routed into a TUN
device (Documentation/networking/tuntap), that is, to this program; it keeps the packet for the
delay and writes it back, and the kernel forwards it as it would have done before. A packet
passes the kernel twice, so it loses 2 of its TTL here.

Needs CAP_NET_ADMIN, /dev/net/tun, and no reverse path filter (net.ipv4.conf.*.rp_filter=0).
"""

import argparse
import fcntl
import os
import select
import socket
import struct
import subprocess
import time
from collections import deque

from command import Failure, positive, reason, run, say

DEVICE = "distance"
TABLE = "77"

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
MOST_BYTES = 1 << 16
MOST_WAITING = 10_000
"""Packets under way; more are lost."""


def open_tun() -> int:
    """A descriptor whose packets are those of the new network device. Raises Failure."""
    try:
        tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
    except OSError as error:
        raise Failure(f"cannot make a TUN device: {reason(error)}") from error
    return tun


def lead_through() -> None:
    """Route into the device whatever comes from another one and is not for this host."""
    others = [name for _, name in socket.if_nameindex() if name not in ("lo", DEVICE)]
    ip("link", "set", DEVICE, "up")
    ip("route", "replace", "default", "dev", DEVICE, "table", TABLE)
    for name in others:
        ip("rule", "add", "priority", "100", "iif", name, "lookup", TABLE)


def ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"ip {' '.join(words)}: {done.stderr.strip()}")


def delay(tun: int, seconds: float) -> None:
    """Give back every packet `seconds` after it has come, in order. Runs until SIGTERM."""
    waiting: deque[tuple[float, bytes]] = deque()
    watched = select.poll()
    watched.register(tun, select.POLLIN)
    while True:
        left = waiting[0][0] - time.monotonic() if waiting else None
        if watched.poll(None if left is None else max(left, 0) * 1000):
            packet = os.read(tun, MOST_BYTES)
            if len(waiting) < MOST_WAITING:
                waiting.append((time.monotonic() + seconds, packet))
        while waiting and waiting[0][0] <= time.monotonic():
            try:
                os.write(tun, waiting.popleft()[1])
            except OSError as error:
                say(f"packet lost: {reason(error)}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Delay what this router forwards.")
    parser.add_argument("--delay", type=positive, default=50, metavar="MS", help="each way")
    options = parser.parse_args()
    tun = open_tun()
    lead_through()
    say(f"forwarding {options.delay} ms later")
    delay(tun, options.delay / 1000)


if __name__ == "__main__":
    run(main, ended=0)
