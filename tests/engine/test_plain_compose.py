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
UDP = "udp_client server echo hello --timeout 15 && ping -c 1 -W 5 server"
EXCHANGES = {
    "compose.yaml": ("client", CLIENT, "ttl=63"),
    "labs/tcp/compose.yaml": ("client", CLIENT, "ttl=63"),
    "labs/napster/compose.yaml": ("x", PEER, "ttl=63"),
    "labs/udp/compose.yaml": ("client", UDP, "ttl=63"),
}
"""For each lab file a host, a command on it that must cross the router, and words of its answer."""


def test_every_lab_is_tried() -> None:
    files = {str(p.relative_to(ROOT)) for p in ROOT.glob("labs/*/compose.yaml")}
    assert set(EXCHANGES) == files | {"compose.yaml"}


@contextmanager
def composed(file: Path) -> Iterator[list[str]]:
    """Have Compose bring a file up within the block; return the start of its command line."""
    argv = ["docker", "compose", "-p", f"plain{secrets.token_hex(3)}", "-f", str(file)]
    try:
        up = [*argv, "up", "--detach", "--wait", "--wait-timeout", "90", "--no-build"]
        done = subprocess.run(up, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        yield argv
    finally:
        down = [*argv, "down", "--volumes", "--timeout", "1"]
        subprocess.run(down, capture_output=True, check=True)


@pytest.mark.parametrize("file", EXCHANGES)
def test_plain_compose_runs_the_lab(engine: Engine, file: str) -> None:
    ensure(engine, ["host"])  # and tags it `latest`, which is what the file names
    host, command, expected = EXCHANGES[file]
    with composed(ROOT / file) as compose:
        argv = [*compose, "exec", "--no-TTY", host, "sh", "-c", command]
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout
