"""Captures the host's packets with tcpdump(8)."""

from __future__ import annotations

import os
import re
import secrets
import select
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import processes
from counting import Counts
from failure import Failure
from strace import limited

SENTINEL = b"labctl-sentinel"
_SENTINEL_ADDRESS = ("127.0.0.1", 9)
_PATIENCE = 10.0
_BUFFER_KIB = 16384
_DROPPED = re.compile(rb"(\d+) packets? dropped by kernel")


class Capture:
    """One tcpdump on all of the host's interfaces, ready when this is made.

    A file of it never grows beyond `max_bytes`; of each packet `snaplen` bytes are kept.
    Raises Failure where it cannot capture.
    """

    def __init__(self, folder: Path, snaplen: int, max_bytes: int) -> None:
        self._file = folder / "packets.pcap"
        self._child = subprocess.Popen(
            [
                *limited(max_bytes),
                *("tcpdump", "-i", "any", "-n", "-Z", "root", "-s", str(snaplen), "-U"),
                *("-B", str(_BUFFER_KIB), "--time-stamp-precision=nano", "--immediate-mode"),
                *("-w", str(self._file), "ip or ip6"),
            ],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self._said = b""
        self._counts = Counts(self._file)
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        assert self._child.stderr is not None
        descriptor = self._child.stderr.fileno()
        deadline = time.monotonic() + _PATIENCE
        while b"listening on" not in self._said:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([descriptor], [], [], max(left, 0))
            block = os.read(descriptor, 1 << 16) if ready else b""
            if not block:
                self._child.kill()
                said = self._said.decode(errors="replace").strip().rpartition("\n")[2]
                raise Failure(f"tcpdump cannot capture: {said or 'it does not answer'}")
            self._said += block

    @property
    def running(self) -> bool:
        return self._child.poll() is None

    def counted(self) -> dict[int, int]:
        """Return how many packets were captured so far, by the index of their interface."""
        self._counts.update()
        return dict(self._counts.packets)

    def stop(self, patience: float | None = None) -> list[str]:
        """End it when it has written every packet so far; return what is to be told.

        It is given `patience` seconds for that.
        """
        patience = _PATIENCE if patience is None else patience
        notes = []
        if self._child.poll() is None and not self._has_written_all(patience):
            notes.append("the capture could not be finished: its last packets may be missing")
        by_itself = self._child.poll() is not None
        if not by_itself:
            self._child.send_signal(signal.SIGINT)
        try:
            _, said = self._child.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            self._child.kill()
            _, said = self._child.communicate()
        return notes + self._told(self._said + (said or b""), by_itself)

    def _told(self, said: bytes, by_itself: bool) -> list[str]:
        if self._child.returncode == -signal.SIGXFSZ:
            return ["the capture was cut: it came to --max-bytes"]
        if self._child.returncode == -signal.SIGKILL:
            return ["tcpdump was killed: what came after is missing"]
        notes = []
        if by_itself or self._child.returncode != 0:
            last = said.decode(errors="replace").strip().rpartition("\n")[2]
            notes.append(f"tcpdump ended by itself, what came after is missing: {last}")
        dropped = _DROPPED.search(said)
        if dropped and int(dropped[1]):
            notes.append(f"{int(dropped[1])} packets came too fast to be captured")
        if b"No space left" in said:
            notes.append("the capture was cut: the disk is full")
        return notes

    def _has_written_all(self, patience: float) -> bool:
        """Send a packet that everybody knows, until it is in the file: then all before is."""
        mark = SENTINEL + secrets.token_hex(8).encode()
        before = self._file.stat().st_size if self._file.exists() else 0
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        ):
            with suppress(OSError):  # so that no ICMP error comes of it
                receiver.bind(_SENTINEL_ADDRESS)
            for _ in processes.naps(patience):
                with suppress(OSError):
                    sender.sendto(mark, _SENTINEL_ADDRESS)
                if self._child.poll() is not None:
                    return True  # it has ended by itself; how, is told
                with suppress(OSError), self._file.open("rb") as file:
                    file.seek(before)
                    if mark in file.read():
                        return True
        return False
