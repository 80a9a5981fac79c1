#!/usr/bin/python3
"""Copy a file with open, read, write and close: every one of them a call into the kernel.

Between two crossings the program has one buffer. Its size says how often it must cross: a file
of n bytes takes n / size reads, one more that finds the end, and as many writes.
"""

import argparse
import os
from pathlib import Path

from command import Failure, reason, run, say

MOST = 1 << 30
"""The largest buffer, 1 GiB: there is a host's memory to think of."""


def main() -> None:
    options = arguments()
    source = opened(options.source, os.O_RDONLY)
    if is_same(source, options.target):  # opening it for writing would empty it
        raise Failure(f"{options.source} and {options.target} are one file")
    target = opened(options.target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    copied = 0
    try:
        while data := os.read(source, options.buffer):
            copied += write_all(target, data)
        os.close(target)
        os.close(source)
    except OSError as error:
        raise Failure(f"after {copied} bytes: {reason(error)}") from error
    say(f"{copied} bytes, {options.buffer} at a time")


def opened(name: str, flags: int) -> int:
    """The descriptor of a file."""
    try:
        return os.open(name, flags, 0o644)
    except (OSError, ValueError) as error:
        words = reason(error) if isinstance(error, OSError) else str(error)
        raise Failure(f"{name}: {words}") from error


def is_same(source: int, target: str) -> bool:
    """Whether a descriptor and a name stand for the same file."""
    try:
        return os.path.samestat(os.fstat(source), Path(target).stat())
    except (OSError, ValueError):  # it is not there yet
        return False


def write_all(target: int, data: bytes) -> int:
    """Write all of `data`; the kernel may take less than it is given (write(2))."""
    rest = data
    while rest:
        rest = rest[os.write(target, rest) :]
    return len(data)


def buffer_size(text: str) -> int:
    """An argument that is a size in bytes. Raises ArgumentTypeError."""
    if not text.isascii() or not text.isdigit() or len(text) > 10 or not 1 <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of bytes from 1 to {MOST}")
    return int(text)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Copy a file with read and write.")
    parser.add_argument("source", help="the file to read")
    parser.add_argument("target", help="the file to make, or to write anew")
    parser.add_argument(
        "--buffer", type=buffer_size, default=65536, help="bytes that each read may bring"
    )
    return parser.parse_args()


if __name__ == "__main__":
    run(main, ended=None)
