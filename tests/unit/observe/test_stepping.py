"""The agent that steps programs, on this machine's kernel."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

AGENT = Path(__file__).parents[3] / "images/observer/agent"
DRIVER = Path(__file__).with_name("step_driver.py")
PATIENCE = 60.0

Told = list[dict[str, Any]]


def stepped(
    folder: Path, program: str, most: int = 500, everything: bool = False, enough: int = 0
) -> tuple[Told, str]:
    """Step a Python program; return its frames and what it printed."""
    how = [str(AGENT), str(folder), str(most), str(int(everything)), str(enough)]
    argv = [sys.executable, str(DRIVER), *how, sys.executable, "-c", program]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    lines = map(json.loads, (folder / "frames.jsonl").read_text().splitlines())
    return list({told["frame"]: told for told in lines}.values()), done.stdout


def calls(told: Told) -> list[tuple[str, int]]:
    return [(one["call"], one["result"]) for one in told if one["event"] == "call"]


def test_each_call_on_a_socket_is_told_with_the_table_after_it(tmp_path: Path) -> None:
    program = (
        "import os, socket\n"
        "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(1); t = os.dup(s.fileno())\n"
        "os.close(t); s.close(); print('done')"
    )
    told, printed = stepped(tmp_path, program)
    assert printed == "done\n"
    assert [one["event"] for one in told] == ["exec", *["call"] * 6, "ended"]
    assert [name for name, _ in calls(told)] == [
        *("socket", "bind", "listen", "fcntl", "close", "close")
    ]
    held = [len(one["processes"][0]["descriptors"]) for one in told[:-1]]
    assert held == [0, 1, 1, 1, 2, 1, 0]
    assert "address" in told[2]["memory"]
    assert told[1]["on"] == told[2]["on"]
    assert told[-1]["status"] == 0
    times = [one["time"] for one in told]
    assert times == sorted(times)


def test_children_are_stepped_too_and_threads_are_no_processes(tmp_path: Path) -> None:
    program = (
        "import os, socket, threading\n"
        "a, b = socket.socketpair()\n"
        "t = threading.Thread(target=a.send, args=(b'x',)); t.start(); t.join()\n"
        "child = os.fork()\n"
        "if child == 0: a.close(); os._exit(3)\n"
        "os.waitpid(child, 0); b.recv(1)"
    )
    told, _ = stepped(tmp_path, program)
    names = [name for name, _ in calls(told)]
    assert names[:3] == ["socketpair", "sendto", "clone"]
    (fork,) = [one for one in told if one.get("call") == "clone"]
    assert {one["pid"] for one in fork["processes"]} == {fork["pid"], fork["result"]}
    (sent,) = [one for one in told if one.get("call") == "sendto"]
    assert sent["tid"] != sent["pid"] == fork["pid"]
    ends = [(one["pid"], one["status"]) for one in told if one["event"] == "ended"]
    assert ends == [(fork["result"], 3), (fork["pid"], 0)]
    (close,) = [one for one in told if one.get("call") == "close" and one["pid"] != fork["pid"]]
    assert close["pid"] == fork["result"]


def test_repetitions_are_one_frame_and_the_last_is_what_is_shown(tmp_path: Path) -> None:
    program = (
        "import socket\na, b = socket.socketpair()\n"
        "for n in range(90): a.send(b'%03d' % n)\n"
        "b.recv(270)"
    )
    told, _ = stepped(tmp_path, program)
    (sent,) = [one for one in told if one.get("call") == "sendto"]
    assert (sent["times"], sent["moved"], sent["result"]) == (90, 270, 3)
    assert sent["memory"]["data"] == "MDg5"  # 089


def test_a_c_librarys_own_sockets_are_left_out(tmp_path: Path) -> None:
    program = (
        "import socket\nu = socket.socket(socket.AF_UNIX)\n"
        "try: u.connect('/nowhere/at/all')\nexcept OSError: pass\nu.close()"
    )
    (tmp_path / "all").mkdir()
    told, _ = stepped(tmp_path, program)
    assert calls(told) == []
    told, _ = stepped(tmp_path / "all", program, everything=True)
    assert [name for name, _ in calls(told)] == ["socket", "connect", "close"]


def test_what_waits_is_told_and_signals_come_through(tmp_path: Path) -> None:
    program = (
        "import os, signal, socket, threading, time\n"
        "def got(*_): print('got it', flush=True); raise SystemExit(0)\n"
        "signal.signal(signal.SIGUSR1, got)\n"
        "a, b = socket.socketpair()\n"
        "main, deadline = threading.get_ident(), time.monotonic() + 40\n"
        "def interrupt():\n"
        f"  film = {str(tmp_path / 'frames.jsonl')!r}\n"
        "  while '\"waits\"' not in open(film).read() and time.monotonic() < deadline:\n"
        "    time.sleep(0.01)\n"
        "  signal.pthread_kill(main, signal.SIGUSR1)\n"
        "threading.Thread(target=interrupt).start()\n"
        "b.recv(1)"
    )
    told, printed = stepped(tmp_path, program)
    assert printed == "got it\n"
    (waits,) = [one for one in told if one["event"] == "waits"]
    assert (waits["call"], waits.get("result")) == ("recvfrom", None)
    interrupted = [result for name, result in calls(told) if name == "recvfrom"]
    assert interrupted == [-512]  # ERESTARTSYS


def test_a_full_film_lets_the_program_go_on_by_itself(tmp_path: Path) -> None:
    program = "import socket\nfor _ in range(50): socket.socket().close()\nprint('done')"
    told, printed = stepped(tmp_path, program, most=7)
    assert len(told) == 7
    assert printed == "done\n"


def test_a_stepper_that_ends_lets_the_program_go_on(tmp_path: Path) -> None:
    program = (
        "import os, socket, time\na, b = socket.socketpair()\n"
        "tracer = 1\n"
        "while tracer:\n"
        "  a.send(b'x'); b.recv(1); time.sleep(0.01)\n"
        "  status = open('/proc/self/status').read()\n"
        "  tracer = int(status.partition('TracerPid:')[2].split()[0])\n"
        "print('let go')"
    )
    told, printed = stepped(tmp_path, program, most=100000, enough=10)
    assert printed == "let go\n"
    assert len(told) > 2
