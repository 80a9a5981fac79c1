"""A host whose own program ends while it is observed: what was seen of it is not lost."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labctl.engine import labels, live, sidecar
from labctl.engine.client import Engine
from labctl.engine.inside import run
from labctl.engine.live import LiveLab
from labctl.engine.up import Reporter, up
from labctl.engine.up import Wishes as UpWishes
from labctl.errors import MachineError
from labctl.lab.load import load
from labctl.observe.wishes import Wishes
from labctl.play.observed import attached, finish
from labctl.sequence.recording import Recording

from .conftest import HEAD, Ran, WriteLab, command, labctl, things
from .test_observer import observers, until

READS_AND_LEAVES = """
import socket, time
one = socket.create_connection(("server", 5000))
one.sendall(b"a question")
one.recv(100)
one.close()
deadline = time.monotonic() + 60
while time.monotonic() < deadline:
    try:
        socket.gethostbyname("server")
    except OSError:
        break
    time.sleep(0.1)
"""
"""Stays until the server's host is gone: with the client's end, the recording ends."""
IS_REFUSED = """
import socket
socket.socket().connect_ex(("127.0.0.1", 5000))
"""
DIES_OF_SIGPIPE = """
import signal, socket, time
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
server = socket.create_server(("", 5000))
one, _ = server.accept()
one.recv(100)
while True:
    one.sendall(b"an answer")
    time.sleep(0.1)
"""
DIES_OF_EADDRINUSE = """
import socket
first = socket.create_server(("", 5000))
second = socket.create_server(("", 5000))
"""
SERVES_ONE = """
import socket
server = socket.create_server(("", 5000))
one, _ = server.accept()
one.sendall(one.recv(100).upper())
one.close()
"""
LISTENS = "healthcheck: {test: [CMD, listening, '5000']}"
NEVER_READY = "healthcheck: {test: [CMD, listening, '5001']}"
SCENARIO = """
x-lab:
  title: a server that ends
  scenarios: {go: {steps: [{host: client, run: [python3, -IS, -c, PROGRAM]}]}}
"""

Event = dict[str, Any]


def write(write_lab: WriteLab, server: str, client: str, more: str = LISTENS) -> Path:
    """Write a lab whose server's own command is one program, and whose scenario another."""
    told = SCENARIO.replace("PROGRAM", json.dumps(client)).strip()
    head = HEAD.replace(
        "x-lab: {{title: a lab of a test}}", told.replace("{", "{{").replace("}", "}}")
    )
    own = f"command: [python3, -IS, -c, {json.dumps(server)}]"
    return write_lab(f"client: *host\nserver: {{<<: *host, {own}, {more}}}", head)


@pytest.fixture(autouse=True)
def _nothing_left(engine: Engine, tmp_path: Path) -> Iterator[None]:
    """Fail where a container or a volume is left of any lab of the test."""
    yield
    left = [name for lab in tmp_path.glob("lab*") for name in everything(engine, lab.name)]
    assert left == []


def everything(engine: Engine, lab: str) -> list[str]:
    """Return the names of the containers and volumes of all copies of a lab."""
    api = engine.sdk.api
    names = [c["Names"][0].lstrip("/") for c in api.containers(all=True)]
    names += [v["Name"] for v in api.volumes().get("Volumes") or []]
    return [name for name in names if name.removeprefix("labctl-up-").startswith(lab)]


def trace(file: Path, *more: str) -> tuple[Ran, list[Event]]:
    """Trace the lab in a folder as a user would; return what was printed, and the events."""
    ran = labctl("trace", "-o", "seen.jsonl", "-o", "seen.txt", *more, cwd=file.parent)
    assert "Traceback" not in ran.err
    lines = (file.parent / "seen.jsonl").read_text().splitlines()
    return ran, [json.loads(line) for line in lines]


def of(events: list[Event], kind: str, host: str = "server") -> list[Event]:
    return [event for event in events if event["event"] == kind and event["host"] == host]


def calls(events: list[Event]) -> list[tuple[str, str | None]]:
    """Return name and errno of the server's calls, from its first socket on."""
    told = [(call["name"], call.get("errno")) for call in of(events, "call")]
    return told[next(at for at, (name, _) in enumerate(told) if name == "socket") :]


def how_it_ended(events: list[Event]) -> tuple[int | None, str | None]:
    """Return the code and the signal of the end of the server's program."""
    (end,) = (event for event in of(events, "process") if event["kind"] == "exit")
    return end.get("code"), end.get("signal")


@pytest.mark.parametrize("tracer", ["strace", "tracefs"])
def test_a_server_that_dies_of_sigpipe_is_seen_to_its_end(write_lab: WriteLab, tracer: str) -> None:
    ran, events = trace(write(write_lab, DIES_OF_SIGPIPE, READS_AND_LEAVES), "--tracer", tracer)
    assert ran.code == 0
    assert calls(events)[-1] == ("sendto", "EPIPE")
    assert {"bind", "listen", "accept4", "recvfrom"} <= {name for name, _ in calls(events)}
    assert how_it_ended(events) == (None, "SIGPIPE")
    assert "[broken-pipe]" in ran.out
    said = " ".join(ran.out.split())
    assert "with exit code 141 (128 + 13: SIGPIPE)" in said
    assert "all that happened until then was observed" in said


def test_the_last_packets_of_a_host_that_ends_are_seen(write_lab: WriteLab) -> None:
    _, events = trace(write(write_lab, SERVES_ONE, READS_AND_LEAVES))
    segments = [e for e in events if e["event"] == "segment" and e["protocol"] == "tcp"]
    sent = [e for e in segments if (e.get("sent") or {}).get("host") == "server"]
    assert any("FIN" in segment["flags"] for segment in sent)
    assert {segment["sent"]["network"] for segment in sent} == {"lan"}
    assert {segment["received"]["host"] for segment in sent} == {"client"}


def test_a_server_that_ends_well_after_one_connection_is_seen_whole(write_lab: WriteLab) -> None:
    ran, events = trace(write(write_lab, SERVES_ONE, READS_AND_LEAVES))
    assert ran.code == 0
    names = [name for name, _ in calls(events)]
    assert [name for name in names if name in ("accept4", "recvfrom", "sendto", "close")] == [
        *("accept4", "recvfrom", "sendto", "close", "close")
    ]
    assert how_it_ended(events) == (0, None)
    assert "with exit code 0; all that" in " ".join(ran.out.split())


def test_a_server_that_dies_before_it_is_ready_is_drawn_and_diagnosed(
    write_lab: WriteLab,
) -> None:
    ran, events = trace(write(write_lab, DIES_OF_EADDRINUSE, IS_REFUSED, NEVER_READY))
    assert ("bind", "EADDRINUSE") in calls(events)
    assert how_it_ended(events) == (1, None)
    assert "[address-in-use]" in ran.out
    assert "with exit code 1; all that" in " ".join(ran.out.split())
    assert "server: ended" in ran.err


def own_server(engine: Engine, name: str, write_lab: WriteLab, program: str, more: str) -> LiveLab:
    """Bring up a lab that nobody observes while it comes up."""
    lab = load(write(write_lab, program, READS_AND_LEAVES, more))
    return up(engine, lab, UpWishes(name), Reporter())


def has_ended(engine: Engine, lab: LiveLab) -> bool:
    state = engine.sdk.api.inspect_container(lab.host("server").container_id)["State"]
    return not state["Running"]


def see_one_connection(engine: Engine, lab: LiveLab, tracer: str = "strace") -> Recording:
    """Attach to a lab that is up, have its server serve its one connection, and end."""
    with attached(engine, lab, Wishes(tracer=tracer), Reporter()) as observer:
        run(engine, lab.host("client"), python(READS_AND_LEAVES))
        until(lambda: has_ended(engine, lab))
        recording = finish(lab, observer, "one connection").recording
    assert not any(".observer-" in thing for thing in things(engine, lab.name))
    return recording


def python(program: str) -> list[str]:
    return ["python3", "-IS", "-c", program]


def notice(recording: Recording) -> str:
    (text,) = (n.text for n in recording.notices if n.host == "server" and "it ended" in n.text)
    return text


def test_the_end_of_a_server_that_was_attached_to_is_seen(
    engine: Engine, name: str, write_lab: WriteLab
) -> None:
    lab = own_server(engine, name, write_lab, SERVES_ONE, LISTENS)
    recording = see_one_connection(engine, lab)
    names = [call.name for call in recording.calls if call.host == "server"]
    assert names[0] == "accept4"
    assert names[-1] == "close"
    assert [e.code for e in recording.processes if e.host == "server" and e.kind == "exit"] == [0]
    assert "all that happened until then" in notice(recording)


def test_without_an_init_what_was_written_is_kept_and_the_loss_is_told(
    engine: Engine, name: str, write_lab: WriteLab
) -> None:
    lab = own_server(engine, name, write_lab, SERVES_ONE, f"{LISTENS}, init: false")
    recording = see_one_connection(engine, lab)
    names = [call.name for call in recording.calls if call.host == "server"]
    assert "recvfrom" in names
    assert "with exit code 0" in notice(recording)
    assert "its last calls and packets may be missing" in notice(recording)
    assert any(segment.sent and segment.sent.host == "server" for segment in recording.segments)


def test_an_observer_that_breaks_is_no_host_that_ends(
    engine: Engine, name: str, write_lab: WriteLab, tmp_path: Path
) -> None:
    lab = own_server(engine, name, write_lab, SERVES_ONE, LISTENS)
    with attached(engine, lab, Wishes(tracer="strace"), Reporter()) as observer:
        (agent,) = engine.sdk.containers.list(
            filters={"label": [f"{labels.NAME}={name}", f"{labels.OBSERVER}=host server"]}
        )
        agent.kill()
        with pytest.raises(MachineError, match="the observer of host server has ended"):
            observer.stop(tmp_path)
    assert not any(".observer-" in thing for thing in things(engine, name))


def test_capture_keeps_the_packets_of_a_host_that_ends(
    engine: Engine, name: str, write_lab: WriteLab, tmp_path: Path
) -> None:
    lab = own_server(engine, name, write_lab, SERVES_ONE, LISTENS)
    file = tmp_path / "x.pcapng"
    argv = command("capture", f"{name}/server", "-w", str(file))
    child = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    for line in child.stderr:
        if "Ctrl-C" in line or "capturing" in line:
            break
    run(engine, lab.host("client"), python(READS_AND_LEAVES))
    said = child.communicate(timeout=60)[1]
    assert child.returncode == 0, said
    assert "it ended" in said
    assert b"a question" in file.read_bytes()


def test_what_a_killed_labctl_leaves_beside_a_lab_that_is_up_is_cleaned(
    engine: Engine, name: str, write_lab: WriteLab
) -> None:
    lab = own_server(engine, name, write_lab, SERVES_ONE, LISTENS)
    argv = command("trace", f"{name}/client", "--", "sleep", "300")
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    for line in child.stderr:
        if "sleep 300" in line:
            break
    assert len(observers(engine, name)) == 2
    run(engine, lab.host("client"), python(READS_AND_LEAVES))
    until(lambda: has_ended(engine, lab) and len(observers(engine, name)) == 1)
    assert labctl("clean").code == 0  # it is at work: what it may still read stays
    assert sum(".observer-" in thing for thing in things(engine, name)) == 1 + 2
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert labctl("clean").code == 0
    assert not any(".observer-" in thing for thing in things(engine, name))
    assert live.find(engine, name).state is live.State.READY


def test_auto_refuses_at_once_where_the_observer_may_not_look(
    engine: Engine, name: str, write_lab: WriteLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = own_server(engine, name, write_lab, SERVES_ONE, LISTENS)
    kept = tuple(cap for cap in sidecar.CAPABILITIES if cap != "SYS_PTRACE")
    monkeypatch.setattr(sidecar, "CAPABILITIES", kept)
    for tracer in ("auto", "tracefs"):
        with (
            pytest.raises(MachineError, match="lacks CAP_SYS_PTRACE") as raised,
            attached(engine, lab, Wishes(tracer=tracer), Reporter()),
        ):
            pass
        assert raised.value.hint
        assert "\n" not in raised.value.message + raised.value.hint
