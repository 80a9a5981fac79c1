"""How programs end: by a signal that comes at a bad moment, or to one of their subordinates."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

NETPROG = Path(__file__).parents[3] / "images/host/netprog"


def started(program: str) -> subprocess.Popen[str]:
    """A Python program that may use the modules of netprog."""
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=NETPROG,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


AT_FORK = """
import os, signal, time
from command import run

def main():
    os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGTERM))
    if os.fork() == 0:
        os._exit(0)
    time.sleep(30)

run(main, ended=0)
"""


def test_a_signal_that_comes_while_it_forks_ends_it_without_a_word() -> None:
    with started(AT_FORK) as program:
        out, err = program.communicate(timeout=20)
    assert (program.returncode, out, err) == (0, "", "")


SUBORDINATE = """
import os, signal, time
from command import run

def main():
    subordinate = os.fork()
    if subordinate == 0:
        print("ready", flush=True)
        try:
            time.sleep(30)
        finally:
            os._exit(3)
    _, status = os.waitpid(subordinate, 0)
    time.sleep(1)  # a signal of its own would end it now
    print("ended with", os.waitstatus_to_exitcode(status))

run(main, ended=0)
"""


def test_a_signal_to_a_subordinate_does_not_end_the_others() -> None:
    with started(SUBORDINATE) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        children = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()
        subprocess.run(["kill", *children], check=True)
        out, err = program.communicate(timeout=20)
    assert (out, err) == ("ended with 3\n", "")
