"""`labctl doctor` where the engine or the docker command is missing, wrong or silent."""

from __future__ import annotations

import json
import os
import socketserver
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from labctl.engine.doctor import State, client, examine
from labctl.engine.doctor.model import Check, Machine

ENGINE_CHECKS = {"base image", "images", "addresses", "disk", "memory", "left-overs", "netem"}


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Make PATH a folder of its own, and write commands (shell scripts) into it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def write(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return write


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent")


@pytest.mark.usefixtures("no_engine")
def test_without_an_engine_the_list_is_whole() -> None:
    told: list[Check] = []
    checks = examine(told.append)
    assert told == checks
    found = by_name(checks)
    assert found["engine"].state is State.FAILED
    assert found["engine"].found == "no Docker engine is running at unix:///nonexistent"
    assert found["engine"].fix is not None
    assert all(found[name].state is State.NOT_CHECKED for name in ENGINE_CHECKS)
    assert found["pytest"].state is State.OK


def test_the_command_ends_with_3_and_no_traceback() -> None:
    def doctor(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "labctl", "doctor", *options],
            env={**os.environ, "DOCKER_HOST": "unix:///nonexistent"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    plain = doctor()
    assert plain.returncode == 3
    assert "failed       engine" in plain.stdout
    assert "fix: Start it" in plain.stdout
    assert "Traceback" not in plain.stderr
    told = doctor("--json", "--fix")
    assert told.returncode == 3
    report = json.loads(told.stdout)
    assert report["ok"] is False
    assert {c["name"] for c in report["checks"] if c["state"] == "not checked"} >= ENGINE_CHECKS
    assert "nothing was left to fix" in told.stderr


# --- the docker command and its plugins

MACHINE = Machine(None)


@pytest.mark.usefixtures("commands")
def test_no_docker_command() -> None:
    (command,) = client.docker_command(MACHINE)
    assert command.state is State.FAILED
    assert command.fix is not None
    assert command.fix.command
    assert not command.fix.safe
    for look in (client.compose, client.buildx):
        (check,) = look(MACHINE)
        assert check.state is State.NOT_CHECKED


def test_a_docker_command_that_does_not_work(commands: Callable[[str, str], None]) -> None:
    commands("docker", "exit 1")
    assert client.docker_command(MACHINE)[0].state is State.FAILED


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ("echo 2.26.1-4", State.OK),
        ("echo v2.20.0", State.OK),
        ("echo 5.0.1", State.OK),
        ("echo 2.19.1", State.FAILED),
        ("echo 1.29.2", State.FAILED),
        ("echo unknown", State.FAILED),
        ("echo docker: unknown command: docker compose >&2; exit 125", State.FAILED),
        ("exit 0", State.FAILED),
    ],
)
def test_composes(commands: Callable[[str, str], None], script: str, state: State) -> None:
    commands("docker", script)
    (check,) = client.compose(MACHINE)
    assert check.state is state
    assert (check.fix is None) == (state is State.OK)


def test_compose_v1_is_named(commands: Callable[[str, str], None]) -> None:
    commands("docker", "exit 125")
    commands("docker-compose", "echo 1.29.2")
    assert "there is a docker-compose command" in client.compose(MACHINE)[0].found


def test_without_buildx_there_is_a_warning(commands: Callable[[str, str], None]) -> None:
    commands("docker", "exit 1")
    assert client.buildx(MACHINE)[0].state is State.WARNING
    commands("docker", "echo github.com/docker/buildx 0.13.1")
    assert client.buildx(MACHINE)[0].state is State.OK


def test_a_command_that_hangs_is_not_waited_for(
    commands: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    commands("docker", "exec /bin/sleep 600")
    monkeypatch.setattr(client, "_PATIENCE", 0.2)
    assert client.compose(MACHINE)[0].state is State.FAILED


# --- engines that are not as they should be


class Server(socketserver.ThreadingUnixStreamServer):
    """An HTTP server on a Unix socket that answers every request alike."""

    daemon_threads = True

    def __init__(self, path: str, status: int, body: bytes, silent: threading.Event | None) -> None:
        self.status, self.body, self.silent = status, body, silent
        super().__init__(path, Handler)


class Handler(BaseHTTPRequestHandler):
    """Answers as its server says."""

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        if server.silent is not None:
            server.silent.wait(60)
            return
        self.send_response(server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(server.body)))
        self.end_headers()
        self.wfile.write(server.body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


@contextmanager
def engine_that_says(
    status: int, body: bytes, silent: threading.Event | None = None
) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/engine"
        with Server(path, status, body, silent) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield f"unix://{path}"
            finally:
                if silent is not None:
                    silent.set()
                server.shutdown()


OLD = json.dumps({"Version": "17.09.0-ce", "ApiVersion": "1.32"}).encode()
ANCIENT = json.dumps({"Version": "1.9.0", "ApiVersion": "1.21"}).encode()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, OLD, "too old"),
        (200, ANCIENT, "does not answer"),
        (403, b'{"message": "authorization denied"}', "does not answer"),
        (500, b'{"message": "broken"}', "does not answer"),
        (200, b"this is not JSON", ""),
        (200, b"{}", ""),
    ],
)
def test_an_engine_that_is_no_use(
    monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, words: str
) -> None:
    with engine_that_says(status, body) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        found = by_name(examine(patience=30))
    assert found["engine"].state is State.FAILED
    assert words in found["engine"].found
    assert found["engine"].fix is not None
    assert all(found[name].state is State.NOT_CHECKED for name in ENGINE_CHECKS)


def test_a_silent_engine_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with engine_that_says(200, b"", threading.Event()) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        found = by_name(examine(patience=0.3))
    assert found["engine"].state is State.FAILED
