"""How something is to be observed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

SMALLEST_SNAPLEN = 128
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Wishes:
    """What the observers are to do.

    `tracer` is `auto`, `strace`, `tracefs` or `none` (packets only). Of each packet `snaplen`
    bytes are kept; no file of one host grows beyond `max_bytes`. `settle` is how many seconds
    hosts are given to come to rest at the end. `hosts`, where given, are the only ones observed.
    With `outlive`, a lab whose hosts fail at their start comes up all the same, to be looked at.
    With `every_call`, all system calls are traced, not only those of verbs.FAMILIES, and where
    the tracer can, when each thread had a processor.
    """

    tracer: str = "auto"
    snaplen: int = 256
    max_bytes: int = 256 * MEBIBYTE
    settle: float = 2.0
    hosts: Collection[str] | None = None
    outlive: bool = False
    every_call: bool = False

    def wants(self, host: str) -> bool:
        """Whether a host is to be observed."""
        return self.hosts is None or host in self.hosts
