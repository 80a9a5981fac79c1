"""`labctl trace` as a user has it: exit codes, every form of output, and an end in the middle."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from labctl.engine import down, live
from labctl.engine.client import Engine
from labctl.engine.inside import run
from labctl.sequence import jsonl
from labctl.sequence.recording import Recording
from tests.unit.show.figure.reading import parsed

from .conftest import HEAD, Ran, command, labctl, things
from .test_capture import comments

PORT = 5001
PATIENCE = 120.0
KINDS = ("svg", "html", "mmd", "txt", "jsonl", "pcapng")

SERVER = f"""
import socket
server = socket.create_server(("0.0.0.0", {PORT}))
while True:
    connection, _ = server.accept()
    with connection:
        while data := connection.recv(100):
            connection.sendall(data.upper())
"""
CONNECT = f"""
import socket, time
connection = socket.create_connection(("server", {PORT}))
"""
ASK = f"""{CONNECT}
connection.sendall(b"hello")
assert connection.recv(100) == b"HELLO"
connection.close()
"""
MANY = f"""{CONNECT}
for _ in range(2000):
    connection.sendall(b"hello")
    assert connection.recv(100) == b"HELLO"
"""
HANG = f"{CONNECT}time.sleep(3600)"

CALLS = {"client": ["socket", "connect", "send", "recv", "close"], "port": PORT, "protocol": "tcp"}
WRONG = {**CALLS, "client": ["socket", "connect", "recv", "send", "close"]}


def on_client(program: str) -> list[dict[str, object]]:
    return [{"name": "talk", "host": "client", "run": ["python3", "-c", program]}]


X_LAB = {
    "title": "a lab of a test",
    "scenarios": {
        "ask": {"steps": on_client(ASK), "sequence": CALLS},
        "wrong": {"steps": on_client(ASK), "sequence": WRONG},
        "hang": {"steps": on_client(HANG)},
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a lab with several scenarios."""
    made = tmp_path_factory.mktemp("talk")
    head = HEAD.format(lab="talk").replace("{title: a lab of a test}", json.dumps(X_LAB))
    # The engine is not to check in the middle of a trace: the calls of its check are recorded too.
    check = {"test": ["CMD", "listening", str(PORT)], "interval": "1h"}
    server = f"command: {json.dumps(['python3', '-c', SERVER])}, healthcheck: {json.dumps(check)}"
    (made / "compose.yaml").write_text(
        f"{head}  client: {{<<: *host}}\n  server: {{<<: *host, {server}}}\n"
    )
    return made


@pytest.fixture(scope="module")
def lab(engine: Engine, folder: Path) -> Iterator[live.LiveLab]:
    """The lab, up."""
    name = f"t{secrets.token_hex(4)}"
    came = labctl("up", str(folder / "compose.yaml"), "--name", name)
    assert came.code == 0, came.err
    yield live.find(engine, name)
    down.down(engine, name)


def loaded(ran: Ran) -> Recording:
    return jsonl.load(ran.out.splitlines(), "standard output")


def observers(engine: Engine, name: str) -> list[str]:
    return [thing for thing in things(engine, name) if ".observer-" in thing]


def test_the_first_scenario_of_the_folder_in_all_forms(folder: Path, tmp_path: Path) -> None:
    files = {kind: tmp_path / f"seen.{kind}" for kind in KINDS}
    outputs = [word for file in files.values() for word in ("-o", str(file))]
    done = labctl("trace", *outputs, cwd=folder)
    assert done.code == 0, done.out + done.err
    assert done.out.startswith("as the pattern says: 1 connection\n")
    for file in files.values():
        assert f"{file}: {file.stat().st_size:,} bytes" in done.err
    assert set(tmp_path.iterdir()) == set(files.values())

    figure = "".join(parsed(files["svg"].read_text()).itertext())
    assert "connect(" in figure
    assert "accept(" in figure
    page = files["html"].read_text()
    assert page.startswith("<!doctype html>")
    assert "as the pattern says: 1 connection" in page
    assert files["mmd"].read_text().startswith("sequenceDiagram\n")
    drawn = files["txt"].read_text()
    assert drawn.startswith("talk: ask\n")
    for call in ("listen(", "accept(", "connect(", "send(", "recv(", "close("):
        assert call in drawn
    seen = jsonl.load(files["jsonl"].read_text().splitlines(), "seen.jsonl")
    assert {host.name for host in seen.hosts} == {"client", "server"}
    packets = list(comments(files["pcapng"].read_bytes()))
    frames = [number for segment in seen.segments for number in segment.frames]
    assert len(frames) >= 10
    assert set(frames) <= set(range(1, len(packets) + 1))
    assert {comment.partition(",")[0].partition(":")[0] for comment in packets} == {
        "client",
        "server",
    }
    from_a_file(files["jsonl"], drawn, tmp_path)


def test_a_table_of_connects_and_the_same_as_json(lab: live.LiveLab) -> None:
    argv = ["python3", "-c", ASK]
    done = labctl("trace", f"{lab.name}/client", "--connects", "--", *argv)
    assert done.code == 0, done.out + done.err
    head, line, *_ = done.out.splitlines()
    assert head.split() == ["CLIENT", "SERVER", "CONNECT", "TIME", "PACKETS"]
    target = f"{lab.host('server').addresses['lan']}:{PORT}"
    assert line.split()[1:5] == ["client", "server", target, "ok"]
    assert "SYN, SYN-ACK, ACK" in line
    told = labctl("trace", f"{lab.name}/client", "--connects", "--json", "--", *argv)
    (one,) = [json.loads(line) for line in told.out.splitlines()]
    assert (one["client"], one["server"], one["target"]) == ("client", "server", target)
    assert (one["errno"], [packet["what"] for packet in one["packets"]]) == (
        None,
        ["SYN", "SYN-ACK", "ACK"],
    )


def from_a_file(events: Path, drawn: str, folder: Path) -> None:
    """Check that what was seen can be drawn anew, and that nothing is played then."""
    anew = folder / "anew.txt"
    again = labctl("trace", "--from", str(events), "--json", "-o", str(anew))
    assert again.code == 0, again.err
    assert anew.read_text() == drawn
    assert again.out == events.read_text()
    wrong = labctl("trace", "tcp", "--from", str(events))
    assert wrong.code == 2
    assert "--from plays nothing" in wrong.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nosuchlab"], "lab talk has no scenario `nosuchlab`, and there is no lab of that name"),
        (["ask", "--host", "cliend"], "did you mean `client`?"),
        (["ask", "--tracer", "gdb"], "there is no tracer gdb"),
        (["tcp", "--name", "up", "-s", "ask"], "tcp says nothing beside --name up and -s ask"),
        (["ask", "-o", "a.svg", "-o", "folder.svg"], "folder.svg cannot be written"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_made(
    folder: Path, words: list[str], said: str
) -> None:
    (folder / "folder.svg").mkdir(exist_ok=True)
    done = labctl("trace", *words, cwd=folder)
    assert done.code == 2
    assert said in done.err
    assert done.err.startswith("error: ")
    assert {one.name for one in folder.iterdir()} == {"compose.yaml", "folder.svg"}


def test_an_engine_that_is_not_there(folder: Path) -> None:
    done = labctl("trace", "ask", cwd=folder, DOCKER_HOST="unix:///nonexistent.sock")
    assert done.code == 3
    assert done.err.startswith("error: ")


def test_as_json_a_wrong_order_is_told_beside_the_events(lab: live.LiveLab) -> None:
    done = labctl("trace", "--name", lab.name, "wrong", "--json")
    assert done.code == 1, done.err
    seen = loaded(done)
    assert "connect" in {call.name for call in seen.calls}
    assert "not as the pattern says: 1 of 1 connection" in done.err
    assert "note: server: its first calls are missed" in done.err


def test_on_a_lab_that_is_up_the_first_scenario_of_hosts_that_it_has(lab: live.LiveLab) -> None:
    done = labctl("trace", "--name", lab.name, "--host", "cliend")
    assert done.code == 2
    assert f"lab {lab.name} has no host cliend" in done.err
    assert "Did you mean client?" in done.err


def test_a_command_that_ends_at_once(engine: Engine, lab: live.LiveLab) -> None:
    done = labctl("trace", f"{lab.name}/client", "--json", "--", "true")
    assert done.code == 0, done.err
    seen = loaded(done)
    assert seen.title == "talk: true, on client"
    assert [e.code for e in seen.processes if e.kind == "exit" and e.host == "client"] == [0]
    assert observers(engine, lab.name) == []


def test_a_command_that_fails_by_tracefs_within_few_bytes(lab: live.LiveLab) -> None:
    options = ["--tracer", "tracefs", "--max-bytes", "65536", "--host", "client"]
    program = f"{MANY}raise SystemExit(7)"
    done = labctl("trace", f"{lab.name}/client", *options, "--", "python3", "-c", program)
    assert done.code == 1, done.err
    assert "tracer: tracefs (asked for)" in done.err
    assert "exit code 7" in done.err
    assert "--max-bytes" in done.out
    assert "connect(" in done.out


def test_a_command_that_never_ends_within_a_time(lab: live.LiveLab) -> None:
    options = ["--timeout", "8", "--connection", "99"]
    done = labctl("trace", f"{lab.name}/client", *options, "--", "python3", "-c", HANG)
    assert done.code == 2, done.err
    assert "it was still running after 8 s, and was ended" in done.err
    assert "there is no connection 99 in what was seen" in done.err
    assert "connect(" in done.out


class Hanging:
    """A `labctl trace` of a client that has connected, and does no more."""

    def __init__(self, *words: str, ready: str, cwd: Path | None = None) -> None:
        self._child = subprocess.Popen(
            command("trace", *words),
            cwd=cwd,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said = ""
        self.wait_for(ready)

    def wait_for(self, words: str) -> None:
        assert self._child.stderr is not None
        for line in self._child.stderr:
            self.said += line
            if words in line:
                return
        pytest.fail(self.said)

    def send(self, number: int) -> None:
        self._child.send_signal(number)

    def end(self) -> Ran:
        out, err = self._child.communicate(timeout=PATIENCE)
        return Ran(self._child.returncode, out, self.said + err)


def wait_until_connected(engine: Engine, lab: live.LiveLab) -> None:
    """Wait until the server has a connection."""
    look = f"until ss -Htn state established sport = :{PORT} | grep -q .; do sleep 0.05; done"
    assert run(engine, lab.host("server"), ["timeout", "30", "sh", "-c", look]).code == 0


def test_ctrl_c_ends_the_command_and_draws_what_was_seen(engine: Engine, lab: live.LiveLab) -> None:
    hanging = Hanging(f"{lab.name}/client", "--", "python3", "-c", HANG, ready="command: on client")
    wait_until_connected(engine, lab)
    hanging.send(signal.SIGINT)
    done = hanging.end()
    assert done.code == 130, done.err
    assert "interrupted: what was seen until now follows" in done.err
    assert "Traceback" not in done.err
    for call in ("accept(", "connect("):
        assert call in done.out
    running = ["sh", "-c", "grep -l 'time.sleep[(]3600' /proc/[0-9]*/cmdline"]
    assert run(engine, lab.host("client"), running).code == 1
    assert observers(engine, lab.name) == []


def test_a_second_ctrl_c_ends_at_once(engine: Engine, lab: live.LiveLab) -> None:
    hanging = Hanging(f"{lab.name}/client", "--", "python3", "-c", HANG, ready="command: on client")
    wait_until_connected(engine, lab)
    hanging.send(signal.SIGINT)
    hanging.wait_for("interrupted: what was seen until now follows")
    hanging.send(signal.SIGINT)
    done = hanging.end()
    assert done.code == 130, done.err
    assert "Traceback" not in done.err
    assert observers(engine, lab.name) == []


def still_on(engine: Engine, lab: live.LiveLab, words: str, seconds: int) -> str:
    """Return what has `words` in its command line on the client; wait so long for nothing to."""
    look = f"""
        i=0
        while found=$(pgrep -f '{words[0]}[{words[1]}]{words[2:]}'); do
          [ $((i += 1)) -gt {seconds * 10} ] && break
          sleep 0.1
        done
        echo $found"""
    done = run(engine, lab.host("client"), ["sh", "-c", look], timeout=seconds + 30.0)
    return done.stdout.decode().strip()


@pytest.mark.parametrize("tracer", ["strace", "tracefs"])
def test_the_command_of_a_killed_trace_ends_with_it(
    engine: Engine, lab: live.LiveLab, tracer: str
) -> None:
    script = f"setsid sleep 4321 & python3 -c '{HANG}'; sleep 4321"
    words = [f"{lab.name}/client", "--tracer", tracer, "--", "sh", "-c", script]
    hanging = Hanging(*words, ready="command: on client")
    wait_until_connected(engine, lab)
    assert len(still_on(engine, lab, "sleep 4321", 0).split()) >= 2
    hanging.send(signal.SIGKILL)
    assert hanging.end().code == -signal.SIGKILL
    assert still_on(engine, lab, "sleep 4321", 20) == ""
    assert still_on(engine, lab, "time.sleep", 0) == ""
    assert all(host.running for host in live.find(engine, lab.name).hosts)
    assert labctl("clean").code == 0


def test_clean_removes_what_a_killed_trace_left(engine: Engine, folder: Path) -> None:
    before = {up.name for up in live.labs(engine)}
    hanging = Hanging("hang", ready="talk: on client", cwd=folder)
    (copy,) = {up.name for up in live.labs(engine) if up.lab == "talk"} - before
    try:
        hanging.send(signal.SIGKILL)
        assert hanging.end().code == -signal.SIGKILL
        assert live.find(engine, copy).state is live.State.LEFT_OVER
        cleaned = labctl("clean")
        assert cleaned.code == 0, cleaned.err
        assert things(engine, copy) == []
    finally:
        down.down(engine, copy)


def test_what_was_cut_proves_no_absence() -> None:
    # The interpreters alone make more calls than there is room for.
    done = labctl("trace", "tcp", "-s", "download", "--max-bytes", "65536")
    assert done.code == 1, done.err
    said = " ".join(done.out.split())
    assert "Whether there never was connect on server cannot be told, as not all was seen" in said
    assert "server: the trace of system calls was cut: it came to --max-bytes" in said
