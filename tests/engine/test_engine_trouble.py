"""An engine that is not there, may not be used, is too old, or goes away: two lines, exit 3."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any

import pytest

from labctl.engine.client import Engine

from .conftest import Ran, WriteLab, labctl, things
from .private_engine import private_engine, unavailable

ONE = "h: {<<: *host, command: [sleep, inf]}"


def assert_told(ran: Ran, *expected: str) -> None:
    """It is an error of the machine, told in an error and a hint, without a traceback."""
    assert ran.code == 3, ran
    assert "error: " in ran.err
    assert "\n  hint: " in ran.err
    assert "Traceback" not in ran.err
    for text in expected:
        assert text in ran.err


def test_no_engine(write_lab: WriteLab) -> None:
    for args in (("ps",), ("up", str(write_lab(ONE))), ("down",), ("clean",)):
        ran = labctl(*args, DOCKER_HOST="unix:///nonexistent/docker.sock")
        assert_told(ran, "no Docker engine is running at unix:///nonexistent/docker.sock")


def test_a_context_is_respected(tmp_path: Path) -> None:
    host = "unix:///nonexistent/context.sock"
    argv = ["docker", "context", "create", "elsewhere", "--docker", f"host={host}"]
    config: dict[str, Any] = {"DOCKER_CONFIG": str(tmp_path)}
    subprocess.run(argv, env={**os.environ, **config}, check=True, capture_output=True)
    assert_told(labctl("ps", DOCKER_CONTEXT="elsewhere", **config), host)
    assert_told(labctl("ps", DOCKER_CONTEXT="no-such-one", **config), "no-such-one")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become an ordinary user")
def test_not_permitted(tmp_path: Path) -> None:
    socket = Path("/var/run/docker.sock")
    if not socket.exists() or socket.stat().st_mode & 0o006:
        pytest.skip("the engine's socket is not where it usually is, or open to everybody")
    # Once before the drop, so that all modules are read: an ordinary user may not be able
    # to read this checkout or this Python.
    code = """if True:
        import contextlib, os, sys
        from labctl.cli import main
        sys.argv = ["labctl", "ps", "no-such-name"]
        with contextlib.suppress(SystemExit), contextlib.redirect_stderr(open(os.devnull, "w")):
            main.run()
        os.setgroups([]); os.setgid(65534); os.setuid(65534)
        sys.argv = ["labctl", "ps"]
        main.run()
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    ran = Ran(done.returncode, done.stdout, done.stderr)
    assert_told(ran, "not permitted to use the Docker engine", "usermod -aG docker")


@contextmanager
def fake_engine(socket: Path, answers: dict[str, Any]) -> Iterator[str]:
    """Serve JSON at paths of a Unix socket; return what DOCKER_HOST must be."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            found = next((a for path, a in answers.items() if self.path.endswith(path)), None)
            body = json.dumps(found if found is not None else {"message": "no such page"}).encode()
            self.send_response(200 if found is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self) -> str:
            return "unix"

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingUnixStreamServer(str(socket), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"unix://{socket}"
    finally:
        server.shutdown()
        server.server_close()


def test_an_engine_that_is_too_old(tmp_path: Path) -> None:
    old = {"Version": "19.03.15", "ApiVersion": "1.40", "MinAPIVersion": "1.12"}
    with fake_engine(tmp_path / "s", {"/version": old}) as address:
        ran = labctl("ps", DOCKER_HOST=address)
    assert_told(ran, "too old: version 19.03.15, API 1.40", "20.10")


def fake_docker(folder: Path, script: str) -> str:
    """Put a `docker` in front of the real one; return the PATH for it."""
    folder.mkdir()
    (folder / "docker").write_text(f"#!/bin/sh\n{script}")
    (folder / "docker").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo \"docker: 'compose' is not a docker command.\" >&2; exit 1", "v2 is missing"),
        ('[ "$2" = version ] && echo 1.29.2 && exit 0; exit 1', "Compose 1.29.2 is too old"),
        ('[ "$2" = version ] && echo v2.1.0 && exit 0; exit 1', "Compose 2.1.0 is too old"),
    ],
)
def test_compose_missing_or_old(
    tmp_path: Path, write_lab: WriteLab, script: str, message: str
) -> None:
    ran = labctl("up", str(write_lab(ONE)), PATH=fake_docker(tmp_path / "bin", script))
    assert_told(ran, message)


def test_no_docker_command(tmp_path: Path, write_lab: WriteLab) -> None:
    ran = labctl("up", str(write_lab(ONE)), PATH=str(tmp_path))
    assert_told(ran, "the `docker` command is not installed")


def test_an_image_that_cannot_be_pulled(engine: Engine, name: str, write_lab: WriteLab) -> None:
    file = write_lab("h: {<<: *host, image: labctl-test/no-such-image:1}")
    ran = labctl("up", str(file), "--name", name)
    assert_told(ran, "the image of host h, labctl-test/no-such-image:1, is not here")
    assert things(engine, name) == []


def test_an_image_that_cannot_be_built(engine: Engine, name: str, write_lab: WriteLab) -> None:
    file = write_lab("h: {<<: *host, image: labctl-test-broken, build: .}")
    (file.parent / "Dockerfile").write_text("FROM labctl-base\nRUN echo no luck; exit 9\n")
    ran = labctl("up", str(file), "--name", name)
    assert_told(ran, "the image of host h of lab", "cannot be built", "no luck")
    assert things(engine, name) == []


def test_an_image_of_the_labs_own_is_built(engine: Engine, name: str, write_lab: WriteLab) -> None:
    file = write_lab("h: {<<: *host, image: labctl-test-own, build: .}")
    (file.parent / "Dockerfile").write_text(
        'FROM labctl-base\nCMD ["/bin/sh", "-c", "echo built; exec sleep inf"]\n'
    )
    try:
        assert labctl("up", str(file), "--name", name).code == 0
        assert b"built" in engine.sdk.containers.get(f"{name}-h").logs()
    finally:
        labctl("down", name)
        engine.sdk.images.remove("labctl-test-own", force=True)


needs_private = pytest.mark.skipif(bool(unavailable()), reason=unavailable())


@needs_private
def test_an_engine_that_restarts_under_a_lab(
    engine: Engine, write_lab: WriteLab, tmp_path: Path
) -> None:
    file = write_lab(ONE)
    image = engine.sdk.images.get("labctl-host").tags
    folder = Path("/tmp") / f"labctl-{tmp_path.name[-20:]}-{os.getpid()}"
    with private_engine(folder, networks=True) as other:
        env: dict[str, Any] = {"DOCKER_HOST": other.address}
        save = subprocess.Popen(["docker", "save", *image], stdout=subprocess.PIPE)
        subprocess.run(
            ["docker", "load"],
            stdin=save.stdout,
            env={**os.environ, **env},
            check=True,
            capture_output=True,
        )
        assert save.wait() == 0
        up = labctl("up", str(file), "--name", "restarted", **env)
        assert up.code == 0, up.err
        other.restart()
        listed = labctl("ps", "--json", **env).json[0]
        assert listed["state"] == "stopped"
        ran = labctl("exec", "h", "--", "true", **env)
        assert_told(ran, "host h of lab restarted is not running", "labctl down restarted")
        again = labctl("up", str(file), "--name", "restarted", **env)
        assert again.code == 2
        assert "already up (stopped)" in again.err
        assert labctl("down", "restarted", **env).code == 0
        assert labctl("ps", "--json", **env).json == []
