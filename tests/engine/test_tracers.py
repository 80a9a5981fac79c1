"""The tracers on a real kernel: against strace alone, and where a program or the machine is odd."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from labctl.engine import labels, observers, sidecar
from labctl.engine.client import Engine
from labctl.engine.inside import run
from labctl.engine.live import LiveLab
from labctl.engine.observers import provide_image
from labctl.engine.output import Output
from labctl.engine.tracing import clean_kernel, refusals
from labctl.engine.up import Reporter, up
from labctl.engine.up import Wishes as UpWishes
from labctl.errors import MachineError
from labctl.lab.load import load
from labctl.lab.model import Scenario, Step
from labctl.observe.observer import Observer
from labctl.observe.wishes import Wishes
from labctl.play.observed import (
    ObservedHosts,
    attached,
    finish,
    observed_copy,
    play_observed,
)
from labctl.play.results import ScenarioResult
from labctl.sequence.events import Call
from labctl.sequence.recording import Recording

from .conftest import WriteLab, labctl, things

PROGRAM = """
import os, socket
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", 5001))
server.listen(7)
child = os.fork()
if child == 0:
    client = socket.socket()
    client.bind(("127.0.0.1", 5002))
    client.connect(("127.0.0.1", 5001))
    client.sendall(b"a question\\n")
    client.recv(100)
    client.shutdown(socket.SHUT_WR)
    socket.socket().connect_ex(("127.0.0.1", 5003))
    datagrams = socket.socket(type=socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 5004))
    datagrams.sendto(b"to myself", ("127.0.0.1", 5004))
    datagrams.recvfrom(4)
    os._exit(3)
connection, _ = server.accept()
connection.recv(100)
connection.sendall(b"the answer")
connection.recv(100)
os.waitpid(child, 0)
"""
COMMAND = ["python3", "-IS", "-c", PROGRAM]
CALLS = (
    *("socket", "setsockopt", "bind", "listen", "accept4", "connect", "sendto", "recvfrom"),
    "shutdown",
)


class Told(NamedTuple):
    """A call: what both strace alone and an event tell of it."""

    name: str
    fd: int | None
    result: int | None
    errno: str | None
    address: object
    data: object


@pytest.fixture
def live(engine: Engine, name: str, write_lab: WriteLab) -> LiveLab:
    """A lab of one host that does nothing."""
    file = write_lab("one: {<<: *host, pids_limit: 64}")
    return up(engine, load(file), UpWishes(name), Reporter())


def observed(
    engine: Engine, live: LiveLab, tracer: str, argv: list[str], timeout: float = 60.0
) -> tuple[ScenarioResult, Recording]:
    """Run a command on the lab's host, observed."""
    step = Step(name="command", host="one", run=argv, timeout=timeout)
    with attached(engine, live, Wishes(tracer=tracer), Reporter()) as observer:
        scenario = ("command", Scenario(steps=[step]))
        result, seen = play_observed(engine, live, observer, scenario)
    return result, seen.recording


def strace_alone(engine: Engine) -> dict[str, list[Told]]:
    """Run the program in a container of the observer image under plain strace.

    Returns what it wrote (with -ff: a file for each process, no line in halves), by the role of
    the process.
    """
    script = (
        f'strace -ff -s 64 -o /tmp/told -e trace={",".join(CALLS)} "$@"; '
        'for file in /tmp/told.*; do echo "=== $file"; cat "$file"; done'
    )
    said = engine.sdk.containers.run(
        provide_image(engine, lambda line: None),
        ["sh", "-c", script, "sh", *COMMAND],
        network_mode="none",
        cap_add=["SYS_PTRACE"],
        remove=True,
    )
    processes = said.decode().split("=== ")[1:]
    found = [[t for line in process.splitlines() if (t := _told(line))] for process in processes]
    assert len(found) == 2
    return by_role(found)


_LINE = re.compile(r"(\w+)\((.*)\) += (-?\d+)(?: (E\w+))?")
_ADDRESS = re.compile(r'sin_port=htons\((\d+)\), sin_addr=inet_addr\("([\d.]+)"\)')
_DATA = re.compile(r'\d+, "((?:[^"\\]|\\.)*)"')


def _told(line: str) -> Told | None:
    match = _LINE.match(line)
    if match is None:
        return None
    name, arguments, result, errno = match.groups()
    fd = None if name == "socket" else int(arguments.split(",")[0])
    address = _ADDRESS.search(arguments)
    data = _DATA.match(arguments)
    return Told(
        name,
        fd,
        int(result),
        errno,
        f"{address[2]}:{address[1]}" if address else None,
        data[1].replace("\\n", "\n") if data else None,
    )


def of_events(calls: tuple[Call, ...]) -> dict[str, list[Told]]:
    """Return the same of the calls of a recording."""
    found: dict[int, list[Told]] = {}
    for call in calls:
        if call.name in CALLS:
            address, data = call.args.get("address"), call.args.get("data")
            told = Told(call.name, call.fd, call.result, call.errno, address, data)
            found.setdefault(call.pid, []).append(told)
    return by_role(list(found.values()))


def by_role(processes: list[list[Told]]) -> dict[str, list[Told]]:
    return {
        "server" if any(told.name == "listen" for told in process) else "client": process
        for process in processes
    }


def test_the_calls_are_those_that_strace_alone_tells(engine: Engine, live: LiveLab) -> None:
    result, recording = observed(engine, live, "strace", COMMAND)
    assert result.passed
    told = of_events(recording.calls)
    expected = strace_alone(engine)
    assert len(expected["client"]) > 10
    assert told == expected
    assert recording.tracer == "strace"
    assert [e.code for e in recording.processes if e.kind == "exit"] == [3, 0]


def test_tracefs_tells_the_same_without_the_data(engine: Engine, live: LiveLab) -> None:
    result, recording = observed(engine, live, "tracefs", COMMAND)
    assert result.passed
    told, expected = of_events(recording.calls), strace_alone(engine)
    for role, calls in expected.items():
        assert [one[:4] for one in told[role]] == [one[:4] for one in calls]
        for one, other in zip(told[role], calls, strict=True):
            # What recvfrom and listen have is known from elsewhere, or not at all.
            if one.name in ("bind", "connect", "accept4", "sendto"):
                assert one.address == other.address
    assert recording.tracer == "tracefs"
    assert [e.code for e in recording.processes if e.kind == "exit"] == [3, 0]
    names = {(state.old, state.new) for state in recording.states}
    assert {("CLOSED", "LISTEN"), ("CLOSED", "SYN-SENT"), ("SYN-SENT", "ESTABLISHED")} <= names
    assert recording.notices == ()


SERVER = """
import socket
server = socket.create_server(("127.0.0.1", 5001))
while True:
    connection, _ = server.accept()
    connection.sendall(connection.recv(100).upper())
    connection.close()
"""
CLIENT = """
import socket
client = socket.create_connection(("127.0.0.1", 5001))
client.sendall(b"hello")
assert client.recv(100) == b"HELLO"
"""


@pytest.mark.parametrize("tracer", ["strace", "tracefs"])
def test_a_server_that_already_waits_is_attached_to(
    engine: Engine, live: LiveLab, tracer: str
) -> None:
    host = live.host("one")
    script = 'python3 -c "$1" > /dev/null 2>&1 & until listening 5001; do :; done'
    assert run(engine, host, ["sh", "-c", script, "sh", SERVER]).code == 0
    result, recording = observed(engine, live, tracer, ["python3", "-c", CLIENT])
    assert result.passed
    (program,) = {p for p, words in recording.hosts[0].programs.items() if "create_server" in words}
    calls = [call for call in recording.calls if call.pid == program]
    assert [(call.name, call.errno) for call in calls] == [
        ("accept4", None),  # in which it was
        ("getsockname", None),
        ("recvfrom", None),
        ("sendto", None),
        ("close", None),
        ("accept4", None),  # in which it is still
    ]
    assert calls[0].fd == calls[-1].fd
    assert calls[0].result == calls[2].fd
    assert (calls[-1].end, calls[-1].result) == (None, None)
    assert not recording.hosts[0].whole


@pytest.mark.parametrize("tracer", ["strace", "tracefs"])
def test_a_program_that_exits_at_once_is_seen_whole(
    engine: Engine, live: LiveLab, tracer: str
) -> None:
    result, recording = observed(engine, live, tracer, ["true"])
    assert result.passed
    executed, ended = (e for e in recording.processes)
    assert (executed.kind, str(executed.program).rpartition("/")[2]) == ("exec", "true")
    assert (ended.kind, ended.code, ended.pid) == ("exit", 0, executed.pid)
    assert recording.notices == ()


@pytest.mark.parametrize("tracer", ["strace", "tracefs"])
def test_the_signal_that_ends_a_process_is_told(engine: Engine, live: LiveLab, tracer: str) -> None:
    killed = "sleep 60 & kill -TERM $!; sleep 60 & kill -KILL $!"
    script = f"yes | head -n 1; {killed}; exec sleep 61"
    result, recording = observed(engine, live, tracer, ["sh", "-c", script], timeout=8.0)
    assert result.failed_step is not None  # its time was over, so one from outside ended it
    signals = [e.signal for e in recording.processes if e.kind == "exit" and e.signal]
    assert sorted(signals) == ["SIGKILL", "SIGPIPE", "SIGTERM", "SIGTERM"]


BRIEF = """
one: {<<: *host}
brief: {<<: *host, command: [python3, -c, "import socket; socket.socket().listen(5)"]}
"""


def test_a_host_whose_own_program_exits_at_once_is_no_error(
    engine: Engine, write_lab: WriteLab
) -> None:
    lab = load(write_lab(BRIEF))
    for tracer in ("tracefs", "strace"):
        wishes = Wishes(tracer=tracer)
        with observed_copy(engine, lab, wishes, Reporter()) as (live, observer):
            recording = finish(live, observer, "brief").recording
        calls = [call.name for call in recording.calls if call.host == "brief"]
        notices = [n.text for n in recording.notices if n.host == "brief"]
        assert any("it ended" in text for text in notices)
        assert "listen" in calls


BOMB = """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
"""


@pytest.mark.parametrize("tracer", ["strace", "tracefs"])
def test_a_program_that_forks_without_bound_is_ended_by_its_timeout(
    engine: Engine, live: LiveLab, tracer: str
) -> None:
    result, recording = observed(engine, live, tracer, ["python3", "-c", BOMB], timeout=8.0)
    assert result.failed_step is not None
    assert "8 s" in str(result.failed_step.why)
    forks = [call for call in recording.calls if call.name in ("clone", "clone3", "fork", "vfork")]
    assert len([call for call in forks if not call.failed]) > 20
    assert "EAGAIN" in {call.errno for call in forks}
    assert run(engine, live.host("one"), ["true"]).code == 0
    assert not any(".observer-" in thing for thing in things(engine, live.name))


DEAF_BOMB = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    try:
        os.fork()
    except OSError:
        print("no more", flush=True)
        time.sleep(0.01)
"""


def test_what_a_command_leaves_behind_is_ended_however_fast_it_forks(
    engine: Engine, live: LiveLab
) -> None:
    bomb = 'python3 -c "$1" bomb-left-behind > /tmp/said &'
    until = "until read -r line < /tmp/said; do :; done"
    script = f":> /tmp/said; {bomb} {until}"
    result, _ = observed(engine, live, "tracefs", ["sh", "-c", script, "sh", DEAF_BOMB])
    assert result.passed
    left = ["sh", "-c", "grep -l 'bomb-left-behin[d]' /proc/[0-9]*/cmdline"]
    assert run(engine, live.host("one"), left).code == 1


def test_a_trace_of_the_kernel_never_grows_beyond_its_bound(
    engine: Engine, live: LiveLab, tmp_path: Path
) -> None:
    bound = 50_000
    wishes = Wishes(tracer="tracefs", max_bytes=bound)
    many = ["sh", "-c", "i=0; while [ $i -lt 900 ]; do read x < /dev/null; i=$((i+1)); done"]
    with attached(engine, live, wishes, Reporter()) as observer:
        running = ObservedHosts(engine, live, observer).start("one", many, {}, Output())
        assert running.wait(60)
        observer.tracer.stop(tmp_path)
        traced = observer.tracer.read(tmp_path, observer.hosts.values(), {})
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= bound
    assert [n.text for n in traced.notices if "ended early" in n.text] == [
        f"tracing ended early: more than {bound} bytes were traced"
    ]


@pytest.fixture
def no_ptrace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forbid ptrace(2) to observers, as a seccomp profile may."""
    profile = tmp_path / "seccomp.json"
    forbidden = {"names": ["ptrace"], "action": "SCMP_ACT_ERRNO"}
    profile.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [forbidden]}))
    granted = sidecar.granted()
    options = [*granted, "--security-opt", f"seccomp={profile}"]
    monkeypatch.setattr(sidecar, "granted", lambda: options)


@pytest.fixture
def no_tracefs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observers, "KERNEL_CAPABILITIES", ("SYS_PTRACE", "DAC_OVERRIDE"))


def refused(engine: Engine, live: LiveLab, tracer: str) -> MachineError:
    """Return the error of observing: what is told in two lines, with exit code 3."""
    with pytest.raises(MachineError) as raised:
        observed(engine, live, tracer, ["true"])
    error = raised.value
    assert error.exit_code == 3
    assert error.hint
    assert "\n" not in error.message + error.hint
    assert not any(".observer-" in thing for thing in things(engine, live.name))
    assert run(engine, live.host("one"), ["true"]).code == 0
    return error


@pytest.mark.usefixtures("no_ptrace")
def test_strace_that_is_not_permitted_is_told_with_its_reason(
    engine: Engine, live: LiveLab
) -> None:
    error = refused(engine, live, "strace")
    assert error.message.startswith("strace cannot trace here: ")
    assert "Operation not permitted" in error.message
    assert "--tracer tracefs" in error.hint


@pytest.mark.usefixtures("no_tracefs")
def test_tracefs_that_is_not_permitted_is_told_with_its_reason(
    engine: Engine, live: LiveLab
) -> None:
    error = refused(engine, live, "tracefs")
    assert "CAP_SYS_ADMIN" in error.message
    assert "--tracer strace" in error.hint


@pytest.mark.usefixtures("no_ptrace", "no_tracefs")
def test_where_neither_is_permitted_both_reasons_are_told(engine: Engine, live: LiveLab) -> None:
    error = refused(engine, live, "auto")
    assert "CAP_SYS_ADMIN" in error.message
    assert "Nor can strace: " in error.hint
    assert "Operation not permitted" in error.hint
    image = provide_image(engine, lambda line: None)
    assert None not in refusals(engine, image).values()


@pytest.mark.usefixtures("no_ptrace")
def test_where_strace_is_not_permitted_tracefs_is_chosen(engine: Engine, live: LiveLab) -> None:
    with attached(engine, live, Wishes(), Reporter()) as observer:
        assert observer.tracer.name == "tracefs"
        assert observer.tracer.why.startswith("strace cannot trace here: ")


def test_processes_of_others_may_not_be_attached_to_without_the_capability(
    engine: Engine, live: LiveLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tuple(cap for cap in sidecar.CAPABILITIES if cap != "SYS_PTRACE")
    monkeypatch.setattr(sidecar, "CAPABILITIES", kept)
    error = refused(engine, live, "strace")
    assert "Operation not permitted" in error.message


def instances(engine: Engine, lab: str) -> list[str]:
    """Return labctl's instances in the kernel that are of a lab."""
    script = (
        "import sys; sys.path.append('/opt/agent'); from tracefs_place import Place; "
        "print(*[path.name for path in (Place().root / 'instances').iterdir()])"
    )
    said = engine.sdk.containers.run(
        provide_image(engine, lambda line: None),
        ["python3", "-c", script],
        network_mode="none",
        cap_add=["SYS_ADMIN", "DAC_OVERRIDE"],
        security_opt=["apparmor=unconfined"],
        remove=True,
    )
    return [name for name in said.decode().split() if name.startswith(f"labctl-{lab}.")]


@pytest.fixture
def kernel_observer(engine: Engine, live: LiveLab) -> Iterator[Observer]:
    with attached(engine, live, Wishes(tracer="tracefs"), Reporter()) as observer:
        yield observer


def kill_tracer(engine: Engine, live: LiveLab) -> None:
    (agent,) = engine.sdk.containers.list(filters={"label": f"{labels.OBSERVER}=lab {live.name}"})
    agent.kill()


def test_nothing_of_a_trace_stays_in_the_kernel(
    engine: Engine, live: LiveLab, kernel_observer: Observer
) -> None:
    assert len(instances(engine, live.name)) == 2
    assert clean_kernel(engine) == []  # as it is at work
    assert len(instances(engine, live.name)) == 2
    kernel_observer.end()
    assert instances(engine, live.name) == []


def test_what_a_killed_tracer_leaves_in_the_kernel_is_cleaned(
    engine: Engine, live: LiveLab, kernel_observer: Observer
) -> None:
    kill_tracer(engine, live)
    kernel_observer.end()
    assert len(instances(engine, live.name)) == 2
    cleaned = labctl("clean", "--json")
    assert cleaned.code == 0
    left = [trace for trace in cleaned.json["traces"] if f"-{live.name}." in trace]
    assert len(left) == 2
    assert instances(engine, live.name) == []


def test_the_next_tracer_removes_what_a_killed_one_has_left(
    engine: Engine, live: LiveLab, kernel_observer: Observer
) -> None:
    kill_tracer(engine, live)
    kernel_observer.end()
    left = instances(engine, live.name)
    with attached(engine, live, Wishes(tracer="tracefs"), Reporter()):
        now = instances(engine, live.name)
        assert len(now) == 2
        assert set(now).isdisjoint(left)
