"""A host whose image has no shell: it cannot wait at a gate, and is attached to once it runs."""

from __future__ import annotations

import io
import json
import secrets
import shlex
import signal
import subprocess
from collections.abc import Iterator

import pytest

from labctl.engine.client import Engine

from .conftest import WriteLab, command, labctl

DOCKERFILE = b"""\
FROM labctl-host
USER 0
RUN ["python3", "-c", "import os; os.remove('/bin/sh')"]
"""
SERVER = """
import socket
server = socket.create_server(("", 5000))
while True:
    one, _ = server.accept()
    one.sendall(one.recv(100).upper())
    one.close()
"""
CLIENT = """
import socket
one = socket.create_connection(("server", 5000), timeout=20)
one.sendall(b"hello")
assert one.recv(100) == b"HELLO"
"""


@pytest.fixture
def image(engine: Engine) -> Iterator[str]:
    """An image that has Python, and no /bin/sh."""
    tag = f"labctl-test-no-shell:{secrets.token_hex(4)}"
    engine.sdk.images.build(fileobj=io.BytesIO(DOCKERFILE), tag=tag, rm=True, pull=False)
    yield tag
    engine.sdk.images.remove(tag, force=True)


def test_a_command_that_an_interrupt_cannot_end_is_told(
    image: str, name: str, write_lab: WriteLab
) -> None:
    file = write_lab(f"alone: {{<<: *host, image: {json.dumps(image)}, command: [sleep, inf]}}")
    assert labctl("up", str(file), "--name", name).code == 0
    script = "print('in', flush=True); import time; time.sleep(600)"
    child = subprocess.Popen(
        command("exec", "-n", name, "alone", "--", "python3", "-c", script),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "in\n"
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 130
    assert f"`{shlex.join(['python3', '-c', script])}` may still run on host alone" in said


def test_it_is_attached_to_and_that_is_said(image: str, write_lab: WriteLab) -> None:
    own = f"image: {json.dumps(image)}, command: [python3, -IS, -c, {json.dumps(SERVER)}]"
    # A health check that needs no shell: it holds as soon as the server listens.
    tries = "import socket; socket.create_connection(('127.0.0.1', 5000)).close()"
    check = f"healthcheck: {{test: [CMD, python3, -c, {json.dumps(tries)}]}}"
    file = write_lab(f"client: *host\nserver: {{<<: *host, {own}, {check}}}")
    step = {"host": "client", "run": ["python3", "-c", CLIENT]}
    scenarios = json.dumps({"ask": {"steps": [step]}})
    text = file.read_text()
    file.write_text(text.replace("a lab of a test}", f"a lab of a test, scenarios: {scenarios}}}"))
    ran = labctl("trace", "-o", "seen.jsonl", cwd=file.parent)
    assert ran.code == 0, ran.err
    assert "its image has no /bin/sh" in " ".join(ran.out.split())
    lines = (file.parent / "seen.jsonl").read_text().splitlines()
    calls = [e for e in map(json.loads, lines) if e["event"] == "call" and e["host"] == "server"]
    assert {"recvfrom", "sendto", "close"} <= {call["name"] for call in calls}
    answers = [call for call in calls if call["name"] == "sendto" and call["result"] == 5]
    assert [call["args"]["data"] for call in answers] == ["HELLO"]
