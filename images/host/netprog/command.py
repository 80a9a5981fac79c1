"""What every program of this folder does alike: lines of output, one-line errors, a clean end."""

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from saying import Failure, endpoint, printable, reason, say

__all__ = ["Failure", "endpoint", "printable", "reason", "say"]

AGAIN_AFTER = 2.0
"""Seconds after which a SIGTERM that did not end the process is acted upon once more."""


def run(program: Callable[[], None], *, ended: int | None = 128 + signal.SIGTERM) -> NoReturn:
    """Call `program` and end the process with the right exit code.

    0 done, 1 a `Failure` (printed on stderr), 2 wrong usage (argparse does that), `ended`
    when SIGTERM arrives: a server is meant to be ended that way, so it says 0. With None,
    SIGTERM ends the process as the kernel does by itself: there is nothing to clean up, and
    no second thread that waits for the signal.
    """

    last = -AGAIN_AFTER
    done = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal last
        # A second signal must not interrupt the cleaning up.
        if time.monotonic() - last >= AGAIN_AFTER:
            last = time.monotonic()
            if done:
                # What is raised while Python itself ends comes out as an error of the program.
                os._exit(ended or 0)
            sys.exit(ended)

    if ended is not None:
        signal.signal(signal.SIGTERM, stop)
        insist_on_handlers()
    try:
        program()
    except Failure as failure:
        print(f"{Path(sys.argv[0]).name}: {printable(str(failure))}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # Nobody reads the output any more.
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    finally:
        done, last = True, time.monotonic()
    sys.exit(0)


def insist_on_handlers() -> None:
    """See to it that SIGTERM is handled also when it comes just before a call that blocks.

    Python runs a handler between two of its own instructions, or when a call is interrupted:
    one that begins to block a moment after the signal would not be. And what a handler
    raises is lost where Python is just finalizing an object, or forking. So a thread, woken by
    the signal, sends it again and again until the process has ended.
    """
    sys.unraisablehook = _lost
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    # The pipe is the same one: a signal to a subordinate would wake the thread of this process.
    os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))
    main = threading.get_ident()

    def insist() -> None:
        while os.read(woken, 1) != bytes([signal.SIGTERM]):
            pass
        while True:
            time.sleep(0.05)
            signal.pthread_kill(main, signal.SIGTERM)

    # The thread takes no SIGTERM itself: while the main one blocks it, it is to wait.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=insist, daemon=True).start()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _lost(lost: "sys.UnraisableHookArgs") -> None:
    if not isinstance(lost.exc_value, SystemExit):
        sys.__unraisablehook__(lost)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let a SIGTERM wait until the block has ended, in a child that is forked in it as well.

    What a handler raises while Python tidies up after a fork is printed and lost.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def port_number(text: str) -> int:
    """An argument that is a port. Raises ArgumentTypeError."""
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 65535")
    return int(text)


def seconds(text: str) -> float:
    """An argument that is a time, 0 to 1,000,000 s. Raises ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no time in seconds")
    return value


def positive(text: str) -> int:
    """An argument that is a count, 1 to 1,000,000. Raises ArgumentTypeError."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:8]) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 1000000")
    return int(text)


def host_name(text: str) -> str:
    """An argument that is a host's name or address. Raises ArgumentTypeError."""
    try:
        text.encode("idna")
    except UnicodeError:
        text = ""
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError("that is no host name")
    return text


def host_and_port(text: str, port: int) -> tuple[str, int]:
    """An argument `HOST` or `HOST:PORT`; `port` when it names none. Raises ArgumentTypeError."""
    host, colon, digits = text.partition(":")
    return host_name(host), port_number(digits) if colon else port
