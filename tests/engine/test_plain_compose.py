"""Every lab file works with `docker compose up` alone, across its router too."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labctl.engine.client import Engine
from labctl.engine.images.build import ensure
from labctl.lab.places import data_root

ROOT = data_root()
CLIENT = "tcp_client server no-such-file --wait 15; test $? = 1 && ping -c 1 -W 5 server"
PEER = "peer search anything --directory directory --wait 1 && ping -c 1 -W 5 a"
HELLO = "hello_client server:7000"
OPENING = "connector server:7000 && ping -c 1 -W 5 server"
ECHO = "echo_client server --clients 3"
UDP = "udp_client server echo hello --timeout 15 && ping -c 1 -W 5 server"
SYSCALLS = "udp_client machine time --timeout 15"
SOCKET = "exchange_client server && exchange_client server --udp && ping -c 1 -W 5 server"
BUFFERS = "stream_sender receiver; test $? = 1 && ping -c 1 -W 5 receiver"
CLOSE = "close_client server --timeout 15 && ping -c 1 -W 5 server"
DISTRIBUTION = "tcp_client server no-such-file --wait 15; test $? = 1 && ping -c 1 -W 5 server"
SNMP = "snmp_get server --timeout 5 && ping -c 1 -W 5 server"
BOTTLENECK = "crowd directory --peers 20 --rates 5 --seconds 1 && ping -c 1 -W 5 directory"
SHARED = (
    "shared_socket --port 8081 & tcp_client server x --port 8081 --wait 15 --out - "
    "&& ping -c 1 -W 5 client && kill $!"
)
EXCHANGES = {
    "compose.yaml": ("client", CLIENT, "ttl=63"),
    "labs/tcp/compose.yaml": ("client", CLIENT, "ttl=63"),
    "labs/napster/compose.yaml": ("x", PEER, "ttl=63"),
    "labs/socket/compose.yaml": ("client", SOCKET, "ttl=64"),
    "labs/buffers/compose.yaml": ("sender", BUFFERS, "ttl=64"),
    "labs/opening/compose.yaml": ("client", OPENING, "ttl=63"),
    "labs/ports/compose.yaml": ("narrow", HELLO, "port 4000"),
    "labs/concurrent/compose.yaml": ("c1", ECHO, "3 connections in"),
    "labs/descriptors/compose.yaml": ("server", SHARED, "child of"),
    "labs/udp/compose.yaml": ("client", UDP, "ttl=63"),
    "labs/syscalls/compose.yaml": ("peer", SYSCALLS, "UTC"),
    "labs/close/compose.yaml": ("client", CLOSE, "ttl=63"),
    "labs/distribution/compose.yaml": ("peer", DISTRIBUTION, "ttl=64"),
    "labs/snmp/compose.yaml": ("client", SNMP, "ttl=63"),
    "labs/bottleneck/compose.yaml": ("crowd", BOTTLENECK, "ttl=63"),
}
"""For each lab file a host, a command on it that must reach another, and words of its answer."""
"""For each lab file a host, a command on it that must reach another host, across the router where
there is one (ttl=63), and words of its answer."""

BUILT = {"labs/snmp/compose.yaml": ["server"]}
"""The hosts whose image Compose builds from a Dockerfile of the lab's own."""


def test_every_lab_is_tried() -> None:
    files = {str(p.relative_to(ROOT)) for p in ROOT.glob("labs/*/compose.yaml")}
    assert set(EXCHANGES) == files | {"compose.yaml"}


@contextmanager
def composed(file: Path) -> Iterator[list[str]]:
    """Have Compose bring a file up within the block; return the start of its command line."""
    argv = ["docker", "compose", "-p", f"plain{secrets.token_hex(3)}", "-f", str(file)]
    try:
        for service in BUILT.get(str(file.relative_to(ROOT)), ()):
            subprocess.run([*argv, "build", "--quiet", service], capture_output=True, check=True)
        up = [*argv, "up", "--detach", "--wait", "--wait-timeout", "90", "--no-build"]
        done = subprocess.run(up, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        yield argv
    finally:
        down = [*argv, "down", "--volumes", "--timeout", "1"]
        subprocess.run(down, capture_output=True, check=True)


@pytest.mark.parametrize("file", EXCHANGES)
def test_plain_compose_runs_the_lab(engine: Engine, file: str) -> None:
    ensure(engine, ["base", "host"])  # and tags it `latest`, which is what the file names
    host, command, expected = EXCHANGES[file]
    with composed(ROOT / file) as compose:
        argv = [*compose, "exec", "--no-TTY", host, "sh", "-c", command]
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout
