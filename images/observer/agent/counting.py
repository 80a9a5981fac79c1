"""Counts the packets of a capture while tcpdump(8) writes it (pcap-savefile(5))."""

from __future__ import annotations

import struct
from collections import Counter
from pathlib import Path

_FILE_HEADER = 24
_RECORD = struct.Struct("=8xII")
"""Of a packet's header, how many bytes were kept and how many there were."""

_INTERFACE = struct.Struct(">4xI")
"""Of LINKTYPE_LINUX_SLL2, the index of the interface."""


class Counts:
    """How many packets are in a file that grows, by the index of their interface."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._at = _FILE_HEADER
        self.packets: Counter[int] = Counter()

    def update(self) -> None:
        """Read what was written since; a packet that is not all there yet counts later."""
        try:
            with self._file.open("rb") as file:
                file.seek(self._at)
                content = file.read()
        except FileNotFoundError:
            return
        at = 0
        while at + _RECORD.size <= len(content):
            kept, _ = _RECORD.unpack_from(content, at)
            end = at + _RECORD.size + kept
            if end > len(content):
                break
            if kept >= _INTERFACE.size:
                self.packets[_INTERFACE.unpack_from(content, at + _RECORD.size)[0]] += 1
            at = end
        self._at += at
