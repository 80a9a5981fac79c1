"""What every program of this folder does alike: lines of output, one-line errors, a clean end."""

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

AGAIN_AFTER = 2.0
"""Seconds after which a SIGTERM that did not end the process is acted upon once more."""


class Failure(Exception):
    """Something did not work. The text is one line for a person; the program ends with 1."""


def printable(text: str) -> str:
    """`text` with control characters and undecodable bytes written as escapes.

    Names come from strangers: printed raw, they could rewrite the reader's terminal.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def say(line: str) -> None:
    """Write one line to standard output at once, also into a pipe or a log.

    Not through `print`: its buffer has a lock that a thread could hold while the process ends.
    """
    rest = f"{printable(line)}\n".encode()
    while rest:
        rest = rest[os.write(1, rest) :]


def endpoint(address: tuple[str, int]) -> str:
    """An address and port as people write them: `10.0.0.2:40000`."""
    return f"{address[0]}:{address[1]}"


def reason(error: OSError) -> str:
    """The system's own words for `error`, in a form fit for one line.

    A socket with SO_RCVTIMEO or SO_SNDTIMEO reports the end of its patience as EAGAIN, and
    as EINPROGRESS from connect (socket(7)).
    """
    if isinstance(error, BlockingIOError | TimeoutError):
        return "no answer in time"
    return error.strerror or str(error)


def run(program: Callable[[], None], *, ended: int = 128 + signal.SIGTERM) -> NoReturn:
    """Call `program` and end the process with the right exit code.

    0 done, 1 a `Failure` (printed on stderr), 2 wrong usage (argparse does that), `ended`
    when SIGTERM arrives: a server is meant to be ended that way, so it says 0.
    """

    last = -AGAIN_AFTER

    def stop(_signal: int, _frame: object) -> None:
        nonlocal last
        # A second signal must not interrupt the cleaning up.
        if time.monotonic() - last >= AGAIN_AFTER:
            last = time.monotonic()
            sys.exit(ended)

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
    sys.exit(0)


def insist_on_handlers() -> None:
    """See to it that SIGTERM is handled also when it comes just before a call that blocks.

    Python runs a handler between two of its own instructions, or when a call is interrupted:
    one that begins to block a moment after the signal would not be. And what a handler
    raises is lost where Python is just finalizing an object. So a thread, woken by the
    signal, sends it again and again until the process has ended.
    """
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    main = threading.get_ident()

    def insist() -> None:
        while os.read(woken, 1) != bytes([signal.SIGTERM]):
            pass
        while True:
            time.sleep(0.05)
            signal.pthread_kill(main, signal.SIGTERM)

    threading.Thread(target=insist, daemon=True).start()


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
