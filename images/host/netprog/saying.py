"""What programs say, in lines: for a person at a terminal, and for a log.

Imports next to nothing, so that a server that forks for every client can use it.
"""

import os


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
