"""The health check `listening` against sockets of this machine."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[3] / "images" / "host" / "netprog" / "listening"


def listening(*words: object) -> int:
    return subprocess.run(
        ["sh", str(PROGRAM), *map(str, words)], capture_output=True, check=False
    ).returncode


def test_tcp_counts_only_while_it_listens(kept_port: int) -> None:
    port = kept_port
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        assert listening(port) == 1
        sock.listen()
        assert listening(port) == 0
        assert listening(port, "tcp", "--host", "127.0.0.1") == 0
        assert listening(port, "--host", "127.0.0.2") == 1
        assert listening(port, "udp") == 1
        client = socket.create_connection(("127.0.0.1", port))
        with client:
            assert listening(client.getsockname()[1]) == 1
    assert listening(port) == 1


def test_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("0.0.0.0", 0))
        port = sock.getsockname()[1]
        assert listening(port, "udp") == 0
        assert listening(port, "udp", "--host", "10.9.8.7") == 0
        assert listening(port) == 1


def test_a_socket_of_both_families_takes_ipv4_too() -> None:
    try:
        sock = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    with sock:
        assert listening(sock.getsockname()[1], "--host", "127.0.0.1") == 0


@pytest.mark.parametrize(
    "words",
    [
        *((), ("x",), (0,), (65536,), (1, 2), (1, "--host"), (1, "--host", "a")),
        *((1, "--host", "1.2.3"), (1, "--host", "1.2.3.256"), (1, "sctp")),
    ],
)
def test_wrong_usage(words: tuple[object, ...]) -> None:
    assert listening(*words) == 2


def test_help() -> None:
    assert listening("--help") == 0
