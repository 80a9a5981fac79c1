"""A lab that was up before it was observed: its sockets are known, and its first calls missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.engine.client import Engine
from labctl.engine.inside import run
from labctl.engine.live import LiveLab
from labctl.engine.up import Reporter, Wishes, up
from labctl.lab.load import load
from labctl.sequence import jsonl
from labctl.sequence.connection import Connection
from labctl.sequence.events import Endpoint, OpenSocket
from labctl.sequence.timeline import Timeline

from .conftest import HEAD, Ran, WriteLab, labctl

PORT = 5001

SERVER = f"""
import socket, threading
def serve(connection):
    while data := connection.recv(100):
        connection.sendall(data.upper())
    connection.close()
server = socket.create_server(("0.0.0.0", {PORT}))
while True:
    connection, _ = server.accept()
    threading.Thread(target=serve, args=[connection], daemon=True).start()
"""

HOLDER = f"""
import os, socket, time
def say(word):
    connection.sendall(word)
    assert connection.recv(100) == word.upper()
    open("/tmp/done", "w").close()
connection = socket.create_connection(("server", {PORT}))
say(b"early")
while True:
    while not os.path.exists("/tmp/go"):
        time.sleep(0.02)
    os.unlink("/tmp/go")
    say(b"late")
"""

ASK = f"""
import os, socket, time
os.unlink("/tmp/done")
open("/tmp/go", "w").close()
while not os.path.exists("/tmp/done"):
    time.sleep(0.02)
connection = socket.create_connection(("server", {PORT}))
connection.sendall(b"hello")
assert connection.recv(100) == b"HELLO"
connection.close()
"""

SEQUENCE = f"""\
x-lab:
  title: a lab of a test
  sequence:
    server: [socket, bind, listen, accept, recv, send, recv=0, close]
    client: [socket, connect, send, recv, close]
    wire: [SYN, SYN-ACK, ACK, data, data, FIN, FIN]
    before: [[server.listen.return, client.connect.call]]
    protocol: tcp
    port: {PORT}
    connections: 1
  scenarios:
    ask:
      steps: [{{{{host: client, run: [python3, /tmp/ask.py]}}}}]
"""

BOTH = pytest.mark.parametrize("tracer", ["strace", "tracefs"])


@pytest.fixture
def live(engine: Engine, name: str, write_lab: WriteLab) -> LiveLab:
    """A lab whose server listens, with one connection that stays open."""
    head = HEAD.replace("x-lab: {{title: a lab of a test}}\n", SEQUENCE)
    file = write_lab("server: {<<: *host}\nclient: {<<: *host}", head)
    lab = up(engine, load(file), Wishes(name), Reporter())
    start(engine, lab, "server", SERVER, f"listening {PORT}")
    start(engine, lab, "client", HOLDER, "test -e /tmp/done")
    assert run(engine, lab.host("client"), ["sh", "-c", f"echo '{ASK}' > /tmp/ask.py"]).code == 0
    return lab


def start(engine: Engine, lab: LiveLab, host: str, program: str, ready: str) -> None:
    """Start a program in the background, and wait until a command says that it is ready."""
    script = f'python3 -c "$1" > /tmp/said 2>&1 & until {ready}; do sleep 0.05; done'
    argv = ["timeout", "30", "sh", "-c", script, "sh", program]
    assert run(engine, lab.host(host), argv).code == 0


def traced(folder: Path, *args: str) -> tuple[Ran, Timeline]:
    """Run `labctl trace` to its end; return also what was seen."""
    events = folder / "seen.jsonl"
    done = labctl("trace", "-o", str(events), "-o", str(folder / "seen.txt"), *args)
    assert events.is_file(), done.err
    return done, Timeline.of(jsonl.load(events.read_text().splitlines(), str(events)))


def ends_of(found: OpenSocket) -> tuple[str, Endpoint | None, Endpoint | None]:
    return found.state, found.local, found.remote


def held_one(timeline: Timeline, client: Endpoint) -> Connection:
    (found,) = (c for c in timeline.connections if c.client.endpoint == client)
    return found


@BOTH
def test_sockets_from_before_are_known(live: LiveLab, tmp_path: Path, tracer: str) -> None:
    command = ["--tracer", tracer, f"{live.name}/client", "--", "python3", "/tmp/ask.py"]
    done, timeline = traced(tmp_path, *command)
    assert done.code == 0, done.out + done.err

    server = [s for s in timeline.recording.open_sockets if s.host == "server"]
    (held,) = (s for s in timeline.recording.open_sockets if s.host == "client")
    (own,) = live.host("client").addresses.values()
    (other,) = live.host("server").addresses.values()
    assert held.local is not None
    assert (held.local.address, held.remote) == (own, Endpoint(other, PORT))
    assert {ends_of(s) for s in server} == {
        ("LISTEN", Endpoint("0.0.0.0", PORT), None),
        ("ESTAB", held.remote, held.local),
    }
    assert held.state == "ESTAB"

    talk = held_one(timeline, held.local)
    assert talk.server.endpoint == held.remote
    assert talk.client.socket is not None
    assert talk.server.socket is not None
    assert (talk.client.socket.born, talk.server.socket.born) == (None, None)
    # The server's thread was in recv already; now it waits in the next.
    assert [c.name for c in talk.server.calls] == ["recvfrom", "sendto", "recvfrom"]
    assert [c.name for c in talk.client.calls] == ["sendto", "recvfrom"]

    asked = next(c for c in timeline.connections if c.protocol == "tcp" and c is not talk)
    assert asked.server.socket is not None
    listener = next(s for s in timeline.sockets if s.id == asked.server.socket.listener)
    assert (listener.local, listener.listening) == (Endpoint("0.0.0.0", PORT), True)
    assert next(c.name for c in asked.server.calls) == "accept4"

    (note,) = (line for line in done.out.splitlines() if line.startswith("note: server: "))
    assert "its first calls are missed, as it ran before" in note
    assert f"listening at 0.0.0.0:{PORT}" in note
    assert f"connected from {held.remote} to {held.local}" in note
    assert f"accept({server[0].fd}" in (tmp_path / "seen.txt").read_text()


@BOTH
def test_what_was_missed_is_not_judged_and_said_so(
    live: LiveLab, tmp_path: Path, tracer: str
) -> None:
    done, _ = traced(tmp_path, "--tracer", tracer, "--name", live.name)
    assert done.code == 0, done.out + done.err
    verdict = done.out.index("as the pattern says: 1 connection\n")
    line = done.out[verdict:].splitlines()[1]
    assert line.startswith(
        "not judged: the first calls of server and 1 connection from before the recording "
        "(`labctl trace "
    )
    assert line.endswith(" -s ask` plays on a fresh copy, and judges all)")
