"""Doing nothing until told to go on: by SIGUSR1, or when some seconds are over."""

import contextlib
import os
import select
import signal
import time

AGAIN = 5.0
"""Seconds after which it is looked again whether it has been told; see `wait`."""


class Pause:
    """A wait that SIGUSR1 ends. Make it once, before the first wait, in the main thread.

    A signal that comes while nobody waits ends the next wait at once, or is taken away by `forget`.
    """

    def __init__(self) -> None:
        self._told, self._tell = os.pipe()
        os.set_blocking(self._told, False)
        os.set_blocking(self._tell, False)
        signal.signal(signal.SIGUSR1, self._handle)

    def _handle(self, _signal: int, _frame: object) -> None:
        with contextlib.suppress(BlockingIOError):  # told more often than anybody asked
            os.write(self._tell, b"!")

    def forget(self) -> None:
        """Take no notice of signals until now."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._told, 1024):
                pass

    def wait(self, seconds: float | None) -> float:
        """Return after SIGUSR1, or after `seconds`; tell how many seconds it took.

        A pipe and not a flag: a signal just before `select` is not missed. But Python handles a
        signal between two of its own instructions, or when it interrupts a call: one that comes
        when `select` is about to block is in the pipe only after that. Hence its end.
        """
        began = time.monotonic()
        left = AGAIN if seconds is None else seconds
        while left > 0 and not select.select([self._told], [], [], min(left, AGAIN))[0]:
            if seconds is not None:
                left = began + seconds - time.monotonic()
        self.forget()
        return time.monotonic() - began


def words(seconds: float | None) -> str:
    """How a wait ends, for a line of output."""
    return "until SIGUSR1" if seconds is None else f"for {seconds:g} s"
