"""Ctrl-C, SIGTERM and SIGHUP as KeyboardInterrupt, which is never lost.

Python runs a signal's handler between any two steps of the main thread. Where these are a
weakref's callback or a `__del__`, what the handler raises goes nowhere: Python prints it with a
traceback, and goes on (`sys.unraisablehook`). So it is raised again, after that callback.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING

from labctl.engine.shield import NUMBERS

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_PAUSE = 0.005
"""Seconds in which a callback is over; where it is not, there is another pause."""

over = False
"""Whether an interrupt does nothing more. Whoever has caught one says so by an assignment: Python
may run a handler once more within any call, but not before that."""


def take() -> None:
    """Have the main thread interrupted by each of the signals, from now until it is `over`.

    Not by a SIGHUP that is ignored already: that is what nohup(1) is for.
    """
    sys.unraisablehook = _unraisable
    for number in NUMBERS:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def ignore() -> None:
    """Have the signals do nothing more: what is left to do takes no time."""
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)
    # Python notes an interrupt that leaves an exec() of text, as dataclasses have it, and at its
    # end kills itself with SIGINT, although it was caught since. The next exec() undoes that.
    exec("")


def _interrupt(_number: int, frame: FrameType | None) -> None:
    if over:
        return
    while frame is not None:
        if frame.f_code is _unraisable.__code__:  # raised within it, it would be lost again
            _raise_later()
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def _unraisable(found: UnraisableHookArgs) -> None:
    if found.exc_type is KeyboardInterrupt:
        _raise_later()
    else:
        sys.__unraisablehook__(found)


def _raise_later() -> None:
    # Sent to the process: the main thread gets it, and a call that it waits in ends.
    later = threading.Timer(_PAUSE, os.kill, (os.getpid(), signal.SIGINT))
    later.daemon = True
    later.start()
