"""The few things that a program may choose below its socket, and what the kernel makes of them.

Above the socket all is the program's own; below it the operating system's, but for the
transport and some parameters (figure 6-27): the buffers (socket(7)), and of TCP the largest
segment and whether small ones wait (tcp(7)). Each must be set before `connect` or `listen`:
the window scale and the largest segment are told to the other end with the SYN.
"""

import argparse
import socket
from dataclasses import dataclass

from command import Failure, reason


@dataclass(frozen=True)
class Choice:
    """One option: how it is called on the command line, and in setsockopt(2)."""

    word: str
    name: str
    level: int
    number: int
    tcp_only: bool = False


CHOICES = (
    Choice("sndbuf", "SO_SNDBUF", socket.SOL_SOCKET, socket.SO_SNDBUF),
    Choice("rcvbuf", "SO_RCVBUF", socket.SOL_SOCKET, socket.SO_RCVBUF),
    Choice("mss", "TCP_MAXSEG", socket.IPPROTO_TCP, socket.TCP_MAXSEG, tcp_only=True),
    Choice("nodelay", "TCP_NODELAY", socket.IPPROTO_TCP, socket.TCP_NODELAY, tcp_only=True),
)


def add_arguments(parser: argparse.ArgumentParser, *words: str) -> None:
    """Let the user choose these, all of them where none is named."""
    for one in CHOICES:
        if words and one.word not in words:
            continue
        if one.word == "nodelay":
            parser.add_argument("--nodelay", action="store_const", const=1, help=f"set {one.name}")
        else:
            parser.add_argument(f"--{one.word}", type=number, metavar="N", help=f"set {one.name}")


def choose(sock: socket.socket, options: argparse.Namespace) -> list[str]:
    """Set what the user has chosen; return a line for each: what was asked, what it is now.

    Raises Failure where the kernel refuses.
    """
    lines = []
    for one in CHOICES:
        asked = getattr(options, one.word, None)
        if asked is None:
            continue
        if one.tcp_only and sock.type != socket.SOCK_STREAM:
            raise Failure(f"{one.name} is an option of TCP, and this is a socket of UDP")
        try:
            before = sock.getsockopt(one.level, one.number)
            sock.setsockopt(one.level, one.number, asked)
            after = sock.getsockopt(one.level, one.number)
        except OSError as error:
            raise Failure(f"{one.name} {asked}: {reason(error)}") from error
        lines.append(f"{one.name} was {before}, asked {asked}, is {after}")
    return lines


def now(sock: socket.socket) -> dict[str, int]:
    """What is set on a socket, by the options' names; of UDP only what it has."""
    is_tcp = sock.type == socket.SOCK_STREAM
    return {
        one.name: sock.getsockopt(one.level, one.number)
        for one in CHOICES
        if is_tcp or not one.tcp_only
    }


def number(text: str) -> int:
    """An argument that is a number, 0 to 2147483647. Raises ArgumentTypeError."""
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > 0x7FFFFFFF:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 2147483647")
    return int(text)
