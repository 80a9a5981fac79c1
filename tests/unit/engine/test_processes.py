from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from labctl.engine import processes

STUBBORN = "trap '' TERM; echo ready; while :; do sleep 0.1; done"


def start(argv: list[str], mark: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        processes.told(argv),
        env={**os.environ, processes.MARK: mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def pid_told(child: subprocess.Popen[bytes]) -> int:
    assert child.stderr
    return int(child.stderr.readline())


@pytest.fixture
def mark() -> Iterator[str]:
    token = processes.mark(os.urandom(8).hex())
    yield token
    subprocess.run(processes.end(token, [], 0.05), check=True)


def carrying(mark: str) -> list[str]:
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{processes.MARK}={mark}".encode() in file.read_bytes():
                found.append(file.parent.name)
        except OSError:
            continue
    return found


def gone(pid: int) -> bool:
    """Whether a process has ended, waited for or not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(") ")[2][0] in "ZX"


def wait_until(holds: object, seconds: float = 10) -> None:
    assert callable(holds)
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def end(mark: str, pids: list[int], grace: float = 2) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(processes.end(mark, pids, grace), capture_output=True, check=False)


def test_the_program_is_the_shell_that_told_its_number(mark: str) -> None:
    child = start(["sh", "-c", "echo out; echo err >&2; exit 3"], mark)
    out, err = child.communicate(timeout=10)
    assert (out, child.returncode) == (b"out\n", 3)
    assert err == f"{child.pid}\nerr\n".encode()


def test_sigterm_is_enough_for_most(mark: str) -> None:
    child = start(["sleep", "60"], mark)
    pid_told(child)
    assert end(mark, []).returncode == 0
    assert child.wait(5) == -15


def test_sigkill_comes_after_the_grace(mark: str) -> None:
    child = start(["sh", "-c", STUBBORN], mark)
    assert child.stdout and child.stdout.readline() == b"ready\n"
    began = time.monotonic()
    assert end(mark, [], grace=0.3).returncode == 0
    assert time.monotonic() - began >= 0.3
    assert child.wait(5) == -9


def test_children_in_the_background_end_too(mark: str) -> None:
    child = start(
        ["sh", "-c", "setsid sleep 61 & setsid sh -c 'sleep 62 & sleep 63' & exit 0"], mark
    )
    child.wait(10)
    wait_until(lambda: len(carrying(mark)) >= 4)
    assert end(mark, []).returncode == 0
    assert carrying(mark) == []


def test_a_program_without_its_environment_is_found_by_its_session(mark: str) -> None:
    child = start(["env", "-i", "sh", "-c", "echo ready; sleep 64; true"], mark)
    pid = pid_told(child)
    assert child.stdout and child.stdout.readline() == b"ready\n"
    wait_until(lambda: carrying(mark) == [])
    assert end(mark, []).returncode == 0
    assert child.poll() is None
    assert end(mark, [pid]).returncode == 0
    assert child.wait(5) == -15


def test_a_stopped_program_gets_its_sigterm(mark: str) -> None:
    child = start(
        ["sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"], mark
    )
    assert child.stdout and child.stdout.readline() == b"ready\n"
    os.kill(child.pid, 19)
    assert end(mark, [], grace=10).returncode == 0
    assert child.wait(5) == 7


def test_only_what_carries_the_mark_is_ended(mark: str) -> None:
    one, ten = start(["sleep", "60"], mark + "1."), start(["sleep", "60"], mark + "10.")
    pid_told(one), pid_told(ten)
    assert end(mark + "1.", []).returncode == 0
    assert one.wait(5) == -15
    assert ten.poll() is None
    assert end(mark, []).returncode == 0
    assert ten.wait(5) == -15


def test_nothing_to_end_is_quick(
    mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where others' processes come and go all the time it is looked again and again, so a made-up
    /proc shows that nothing is waited for."""
    assert end(mark, []).returncode == 0
    process(tmp_path, 99999999, "S 1 7 7", b"LABCTL_STEP=there.\0")
    tool = tmp_path / "tools" / "sleep"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\ntouch {tmp_path}/waited\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    shell, option, script, *rest = processes.end("here.", [])
    script = script.replace(processes.ALIVE, processes.ALIVE.replace("/proc", str(tmp_path)))
    assert subprocess.run([shell, option, script, *rest], check=False).returncode == 0
    assert not (tmp_path / "waited").exists()


HOPPING = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
until = time.monotonic() + 20
while time.monotonic() < until:
    if os.fork():
        os._exit(0)
"""
"""At any time there is one process of it, or two, and soon another one; should it be left, not for
ever."""

MANY = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
places, taken = os.pipe()
os.write(taken, b"x" * 30)
print("ready", flush=True)
while True:
    signal.alarm(30)
    os.read(places, 1)
    if os.fork() == 0:
        os.setpgid(0, 0)
"""
"""It becomes thirty, each in a process group of its own."""


@pytest.mark.parametrize("program", [HOPPING, MANY])
def test_what_makes_processes_without_end_is_ended(mark: str, program: str) -> None:
    child = start([sys.executable, "-ISc", program], mark)
    session = pid_told(child)
    assert child.stdout and child.stdout.readline() == b"ready\n"
    done = end(mark, [session], grace=0.1)
    assert (done.returncode, done.stdout) == (0, b"")
    assert carrying(mark) == []


def told_of(proc: Path, mark: str = "", sessions: str = "") -> list[str]:
    """What a look says of the processes of a made-up /proc."""
    look = processes.ALIVE.replace("/proc", str(proc)) + "mark=$1 sessions=$2; alive"
    done = subprocess.run(
        ["/bin/sh", "-c", look, "sh", mark or "-", f" {sessions} "],
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout.split()


def process(proc: Path, pid: int, stat: str, environment: bytes = b"") -> Path:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "stat").write_text(f"{pid} (a) (name) {stat} 0 -1\n")
    (proc / str(pid) / "environ").write_bytes(environment)
    return proc / str(pid)


def test_a_look_tells_the_processes_of_a_session_and_their_groups(tmp_path: Path) -> None:
    process(tmp_path, 7, "S 1 7 7")
    process(tmp_path, 8, "R 7 80 7")
    process(tmp_path, 9, "S 1 9 9")
    assert told_of(tmp_path, sessions="5 7") == ["7", "-7", "8", "-80"]


def test_a_look_tells_the_processes_that_carry_the_mark(tmp_path: Path) -> None:
    process(tmp_path, 7, "S 1 7 7", b"A=1\0LABCTL_STEP=here.\0B=2\0")
    process(tmp_path, 8, "S 1 8 8", b"LABCTL_STEP=there.\0")
    assert told_of(tmp_path, "LABCTL_STEP=here.") == ["7", "-7"]


@pytest.mark.parametrize("state", ["R", "Z", "X"])
def test_who_is_taken_apart_while_looked_at_may_have_left_others(
    tmp_path: Path, state: str
) -> None:
    process(tmp_path, 7, f"{state} 0 -1 -1")
    assert told_of(tmp_path, sessions="5") == ["lost"]


def test_who_is_about_to_end_has_no_environment_any_more_and_is_there_still(tmp_path: Path) -> None:
    process(tmp_path, 7, "R 1 7 7 0 -1 4195340")
    process(tmp_path, 8, "S 1 8 8 0 -1 4194304")
    assert told_of(tmp_path, "LABCTL_STEP=here.") == ["lost"]
    assert told_of(tmp_path, "LABCTL_STEP=here.", sessions="7") == ["7", "-7"]


def with_memory(env_end: int) -> str:
    """What stat says of a process with memory: how much (vsize), and where its environment ends."""
    return f"S 1 7 7 0 -1 4194304 {'0 ' * 13}9000 {'0 ' * 27}{env_end}"


@pytest.mark.parametrize(("env_end", "looks"), [(700, ["lost"]), (600, []), (0, ["lost"])])
def test_who_becomes_another_program_before_its_environment_is_read_may_be_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env_end: int, looks: list[str]
) -> None:
    stat = process(tmp_path, 7, with_memory(600)) / "stat"
    tool = tmp_path / "tools" / "grep"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\necho '7 (a) {with_memory(env_end)} 0' > {stat}\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    assert [one for one in told_of(tmp_path, "LABCTL_STEP=here.") if one != "z7"] == looks


def test_a_look_tells_whose_environment_is_not_there_yet(tmp_path: Path) -> None:
    process(tmp_path, 7, with_memory(0))
    process(tmp_path, 8, with_memory(600))
    assert told_of(tmp_path, "LABCTL_STEP=here.") == ["z7"]


@pytest.mark.parametrize("stat", ["Z 1 5 5", "X 1 5 5", "Z 9 6 6"])
def test_a_look_tells_who_has_ended(tmp_path: Path, stat: str) -> None:
    process(tmp_path, 7, stat)
    assert told_of(tmp_path, sessions="5") == ["z7"]


@pytest.mark.parametrize(
    "looks",
    [
        [""],
        ["lost", ""],
        ["z7", "z7"],
        ["z7", ""],
        ["z7", "z7 z8", "lost z8", "z8"],
        ["z7", "99999999 z7", "z8", "z8"],
    ],
)
def test_it_looks_until_nobody_had_the_time_to_leave_others_unseen(
    tmp_path: Path, looks: list[str]
) -> None:
    for number, each in enumerate(looks):
        (tmp_path / str(number)).write_text(each)
    seen = f"alive() {{ cd {tmp_path}; set -- *; cat $1; rm $1; }}\n"
    shell, option, script, *rest = processes.end("mark.", [])
    script = script.replace(processes.ALIVE, seen)
    done = subprocess.run([shell, option, script, *rest], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("end", ["echo '7 (a) Z 1 7 7 0 -1' > 7/stat", "rm -r 7"])
def test_who_ends_before_its_environment_is_read_may_have_left_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    process(tmp_path, 7, "S 1 7 7")
    tool = tmp_path / "tools" / "grep"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\ncd {tmp_path}\n{end}\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    assert told_of(tmp_path, "LABCTL_STEP=here.") == ["lost"]


def test_where_others_always_come_and_go_it_does_not_look_without_end(tmp_path: Path) -> None:
    shell, option, script, *rest = processes.end("mark.", [], grace=600)
    script = script.replace(
        processes.ALIVE, f"alive() {{ echo lost >> {tmp_path}/looks; echo lost; }}\n"
    )
    done = subprocess.run([shell, option, script, *rest], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert len((tmp_path / "looks").read_text().split()) == 20 + 20


def test_where_it_cannot_look_it_does_not_say_that_all_are_gone(mark: str) -> None:
    child = start(["sleep", "60"], mark)
    pid_told(child)
    shell, *rest = processes.end(mark, [], 0.1)
    unlimited = os.geteuid() == 0  # no limit on processes holds for root
    other = ["setpriv", "--reuid=65533", "--clear-groups"] if unlimited else []
    none_left = ["prlimit", "--nproc=1", "--", *other, shell, *rest]
    done = subprocess.run(none_left, capture_output=True, check=False)
    assert done.returncode not in (0, 1)
    assert child.poll() is None


def test_what_a_command_that_has_ended_left_is_found_by_its_session(mark: str) -> None:
    child = start(["env", "-i", "sh", "-c", "sleep 65 & echo $!"], mark)
    pid = pid_told(child)
    assert child.stdout
    left = int(child.stdout.readline())
    assert child.wait(10) == 0
    assert end(mark, []).returncode == 0
    assert Path(f"/proc/{left}").exists()
    done = subprocess.run(processes.end(mark, [], 2, ended=[pid]), check=False)
    assert done.returncode == 0
    wait_until(lambda: gone(left))


def test_a_number_that_another_process_has_got_is_left_alone(mark: str) -> None:
    other = start(["env", "-i", "sleep", "66"], mark)
    pid = pid_told(other)
    # Also while a process becomes another program, it seems to have no environment.
    wait_until(lambda: Path(f"/proc/{pid}/comm").read_text() == "sleep\n")
    wait_until(lambda: carrying(mark) == [])
    assert subprocess.run(processes.end(mark, [], 2, ended=[pid]), check=False).returncode == 0
    assert other.poll() is None
    other.kill()
