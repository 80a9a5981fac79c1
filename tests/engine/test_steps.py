"""`labctl sockets --steps`: programs stopped after each call, and what is left of it all."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labctl.engine import down, step_observer
from labctl.engine.client import Engine
from labctl.engine.live import LiveLab
from labctl.engine.up import Reporter, Wishes, up
from labctl.errors import MachineError
from labctl.lab.load import load
from labctl.observe.stepper import FilmWishes, Stepper
from labctl.play.stepping import shoot

from .conftest import HEAD, Ran, command, labctl, things

PATIENCE = 30.0
SERVICES = """
  server: {<<: *host, command: [sleep, infinity]}
  client: {<<: *host, command: [sleep, infinity]}
"""


@pytest.fixture(scope="module")
def lab(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveLab]:
    file = tmp_path_factory.mktemp("steps") / "compose.yaml"
    file.write_text(HEAD.format(lab="steps") + SERVICES)
    name = f"t{secrets.token_hex(4)}"
    try:
        yield up(engine, load(file), Wishes(name), Reporter())
    finally:
        down.down(engine, name)


def steps(lab: LiveLab, program: str, *options: str) -> Ran:
    """Film a Python program on the server."""
    words = ["sockets", f"{lab.name}/server", "--steps", *options]
    return labctl(*words, "--", "python3", "-c", program)


def frames(ran: Ran) -> list[dict[str, Any]]:
    return [told for line in ran.out.splitlines() if "frame" in (told := json.loads(line))]


def calls(ran: Ran) -> list[tuple[str, int | str | None]]:
    """Return the calls that have returned, each with its result or its errno."""
    told = [frame["call"] for frame in frames(ran) if frame["event"] == "call"]
    return [(one["name"], one["error"] or one["result"]) for one in told]


def test_each_call_is_a_frame_with_what_it_changed(lab: LiveLab) -> None:
    program = (
        "import socket; s = socket.socket(); s.bind(('127.0.0.1', 8001)); s.listen(2);"
        "c = socket.create_connection(('127.0.0.1', 8001)); a, _ = s.accept();"
        "a.send(b'hi'); a.close(); c.close()"
    )
    ran = steps(lab, program, "--json")
    assert ran.code == 0, ran.err
    assert calls(ran) == [
        ("socket", 3),
        ("bind", 0),
        ("listen", 0),
        ("socket", 4),
        ("connect", 0),
        ("accept4", 5),
        ("sendto", 2),
        *[("close", 0)] * 3,
    ]
    told = frames(ran)
    assert [one["frame"] for one in told] == list(range(1, len(told) + 1))
    assert [one["time"] for one in told] == sorted(one["time"] for one in told)
    first, new, bound, listening, _, connected, accepted, *_, last = [
        # On a busy machine any call may take so long that it is told to wait.
        *(one for one in told if one["event"] != "waits")
    ]
    assert (first["event"], first["sockets"]) == ("exec", [])
    empty = {"address": None, "port": None}
    assert (new["sockets"][0]["local"], new["sockets"][0]["remote"]) == (empty, empty)
    assert bound["sockets"][0]["local"] == {"address": "127.0.0.1", "port": 8001}
    assert bound["call"]["arguments"][1].startswith("{sa_family=AF_INET, sin_port=htons(8001)")
    assert listening["sockets"][0]["state"] == "LISTEN"
    assert ("socket", "accept_queue") in {(c["what"], c["field"]) for c in connected["changes"]}
    (client,) = [s for s in connected["sockets"] if s["remote"]["port"] == 8001 and s["inode"]]
    (server,) = [s for s in accepted["sockets"] if s["remote"] == client["local"]]
    assert server["local"] == client["remote"]
    assert len({s["key"] for s in accepted["sockets"]}) == 3
    assert (last["event"], last["status"]) == ("ended", 0)


def test_fork_copies_the_table_and_what_waits_is_told(lab: LiveLab) -> None:
    program = (
        "import os, socket, time; a, b = socket.socketpair();\n"
        "if os.fork() == 0: a.close(); b.recv(1); os._exit(7)\n"
        "b.close(); time.sleep(5); a.send(b'x'); os.wait()"
    )
    ran = steps(lab, program, "--json")
    assert ran.code == 0, ran.err
    (fork,) = [f for f in frames(ran) if f["call"] and f["call"]["name"] == "clone"]
    parent, child = fork["processes"]
    assert (child["pid"], child["parent"]) == (fork["call"]["result"], parent["pid"])
    assert child["descriptors"] == parent["descriptors"]
    assert [len(one["held_by"]) for one in fork["sockets"]] == [2, 2]
    (waits,) = [f for f in frames(ran) if f["event"] == "waits"]
    assert (waits["call"]["name"], waits["pid"]) == ("recvfrom", child["pid"])
    assert waits["call"]["result"] is None
    assert [f["status"] for f in frames(ran) if f["event"] == "ended"] == [7, 0]


def test_what_is_repeated_is_one_frame(lab: LiveLab) -> None:
    program = (
        "import socket; a, b = socket.socketpair();\n"
        "for _ in range(200): a.send(b'0123456789')\n"
        "for _ in range(200): b.recv(10)\n"
        "b.setblocking(False)\n"
        "for _ in range(50):\n"
        "  try: b.recv(1)\n"
        "  except BlockingIOError: pass"
    )
    ran = steps(lab, program, "--json")
    assert ran.code == 0, ran.err
    told = [f for f in frames(ran) if f["call"] and f["call"]["name"] in ("sendto", "recvfrom")]
    assert [(f["times"], f["moved"]) for f in told] == [(200, 2000), (200, 2000), (50, 0)]
    assert told[2]["call"]["error"] == "EAGAIN"


def test_the_text_is_the_figure_after_each_call(lab: LiveLab) -> None:
    ran = steps(lab, "import socket; socket.socket().close()")
    assert ran.code == 0, ran.err
    assert "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 3" in ran.out
    assert "*3  socket " in ran.out
    assert "local port      —" in ran.out
    assert "descriptor 3 is free again; socket " in ran.out
    assert ran.out.count("━━ ") == 4


def test_files_and_a_program_without_sockets(lab: LiveLab, tmp_path: Path) -> None:
    names = [str(tmp_path / f"film{suffix}") for suffix in (".html", ".txt", ".jsonl")]
    options = [word for name in names for word in ("-o", name)]
    ran = steps(lab, "pass", *options)
    assert (ran.code, ran.out) == (0, "")
    page, text, lines = (Path(name).read_text() for name in names)
    assert page.startswith("<!doctype html>")
    assert "no program has made a call on a socket" in text
    assert lines == ""


def test_a_program_that_does_not_end_is_ended_and_its_film_shown(lab: LiveLab) -> None:
    program = "import socket; s = socket.socket(); s.listen(); s.accept()"
    ran = steps(lab, program, "--timeout", "4", "--json")
    assert ran.code == 1
    assert "still running after 4 s" in ran.err
    assert [f["event"] for f in frames(ran)][-2:] in (
        ["waits", "ended"],
        ["call", "ended"],  # accept, interrupted by the signal
    )
    assert frames(ran)[-1]["status"] == -signal.SIGTERM


def test_a_film_that_is_full_lets_its_programs_go_on(lab: LiveLab) -> None:
    program = "import socket\nfor _ in range(100): socket.socket().close()\nprint('done')"
    ran = steps(lab, program, "--frames", "10", "--json")
    assert ran.code == 0, ran.err
    assert len(frames(ran)) == 10
    assert "ends after 10 frames" in json.loads(ran.out.splitlines()[-1])["notes"][0]
    assert "passed" in ran.err


def test_a_program_that_forks_without_bound_is_bounded(lab: LiveLab) -> None:
    program = (
        "import os, socket\ns = socket.socket()\n"
        "for _ in range(6):\n  try: os.fork()\n  except OSError: pass"
    )
    ran = steps(lab, program, "--frames", "15", "--json")
    assert len(frames(ran)) == 15
    assert ran.code == 0, ran.err


def test_a_killed_labctl_leaves_the_program_running_and_nothing_else(
    engine: Engine, lab: LiveLab
) -> None:
    program = (
        "import socket, time\ns = socket.socket(); s.bind(('127.0.0.1', 8002)); s.listen()\n"
        "for _ in range(6000): s.settimeout(None); time.sleep(0.01)"
    )
    words = command("sockets", f"{lab.name}/client", "--steps", "--", "python3", "-c", program)
    listening = ["docker", "exec", lab.host("client").container, "listening", "8002"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as filming:
        until(lambda: subprocess.run(listening, check=False).returncode == 0)
        filming.kill()
    observer = f"/{lab.name}.observer-"  # its volume stays until `labctl clean`
    until(lambda: not [one for one in things(engine, lab.name) if one.startswith(observer)])
    status = "grep -l TracerPid.*[1-9] /proc/[0-9]*/status; pgrep -f 8002"
    argv = ["docker", "exec", lab.host("client").container, "sh", "-c", status]
    told = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
    assert "status" not in told
    assert told.strip()  # it goes on
    assert subprocess.run(listening, check=False).returncode == 0


def until(holds: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_without_the_permission_to_trace_it_says_so(
    engine: Engine, lab: LiveLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_observer, "CAPABILITIES", ("KILL", "DAC_READ_SEARCH"))
    stepper = Stepper(engine, FilmWishes())
    try:
        stepper.attach(lab.host("server"))
        with pytest.raises(MachineError, match="CAP_SYS_PTRACE"):
            stepper.hosts["server"].sidecar.ask("step", pid=1)
    finally:
        stepper.end()


def test_a_host_that_ends_is_filmed_to_its_end(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    steps = "x-lab: {title: ends, scenarios: {s: {steps: [{host: b, run: 'sleep 2'}]}}}"
    head = HEAD.format(lab="ends").replace("x-lab: {title: a lab of a test}", steps)
    program = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 8003))"
    file.write_text(
        f'{head}  a: {{<<: *host, command: [python3, -c, "{program}"]}}\n'
        "  b: {<<: *host, command: [sleep, infinity]}\n"
    )
    film = shoot(engine, load(file), "s")
    assert [frame.does for frame in film.of("a")] == [*("exec", "socket", "bind", "close", "ended")]
    bound = film.of("a", "bind")[0].socket(3)
    assert bound is not None
    assert bound.local.port == 8003


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("servr", "--steps", "--", "true"), "Did you mean server?"),
        (("server", "--steps", "--watch", "--", "true"), "--watch and --steps exclude"),
        (("server", "--steps", "-o", "film.pdf", "--", "true"), "ending in .pdf"),
        (("server", "--steps", "-o", "/nowhere/film.txt", "--", "true"), "there is no folder"),
        (("server", "--steps", "--"), "no command after --"),
        (("server", "--", "true"), "is for --steps only"),
        (("server", "-s", "tcp"), "is for --steps only"),
    ],
)
def test_what_makes_no_sense_is_a_wrong_usage(
    lab: LiveLab, words: tuple[str, ...], said: str
) -> None:
    ran = labctl("sockets", f"{lab.name}/{words[0]}", *words[1:])
    assert ran.code == 2
    assert said in ran.err
    assert len(ran.err.splitlines()) == 2
