"""Whether the engine's disk ran full while something was made on it."""

from __future__ import annotations

import os
import threading
from types import TracebackType

from labctl.engine.client import Engine, refused
from labctl.errors import MachineError

MIB = 1 << 20

FULL_BELOW = 16 * MIB
"""Bytes free below which a disk counts as full: a large write fails before the last byte."""

_SAMPLE_EVERY = 0.1

_SAID = ("no space left on device", "enough free space in", "disk quota exceeded")


class SpaceWatch:
    """Sample the free space of the engine's data-root within a `with` block.

    What fails for lack of space is often cleaned up before anyone can look, so the
    lowest reading counts. Without a reading (an engine on another machine, or inside a
    virtual one) only the words of the log can tell.
    """

    def __init__(self, engine: Engine) -> None:
        with refused("asking for its data-root"):
            self.data_root = str(engine.sdk.info().get("DockerRootDir", ""))
        self.lowest: int | None = None
        self._readable = engine.local
        self._over = threading.Event()
        self._sampler = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> SpaceWatch:
        self._sample()
        self._sampler.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._sampler.join()
        self._sample()

    def ran_full(self, log: list[str]) -> bool:
        """Return whether the disk was full at any moment; `log` is what the child said."""
        if self.lowest is not None and self.lowest < FULL_BELOW:
            return True
        return any(said in line.lower() for line in log for said in _SAID)

    def error(self, doing: str) -> MachineError:
        """Return the error that says that the disk ran full while `doing` something."""
        left = "" if self.lowest is None else f", where {self.lowest // MIB} MiB were free"
        return MachineError(
            f"the disk ran full while {doing}: the engine's data is in {self.data_root}{left}",
            "Free some space there: `docker system df` shows what uses it, `labctl clean` removes "
            "labctl's own leftovers, `docker image prune` unused images.",
        )

    def _run(self) -> None:
        while not self._over.wait(_SAMPLE_EVERY):
            self._sample()

    def _sample(self) -> None:
        if not (self._readable and self.data_root):
            return
        try:
            state = os.statvfs(self.data_root)
        except OSError:
            return
        # The engine runs as root, so the blocks reserved for root count as free.
        free = state.f_bfree * state.f_frsize if state.f_ffree or not state.f_files else 0
        self.lowest = free if self.lowest is None else min(self.lowest, free)
