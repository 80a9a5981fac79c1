"""Makes a recording: one run of a program, traced in the kernel and by strace at once.

python record.py NAME PROGRAM [ARGUMENT...]
python record.py --attached NAME PROGRAM [ARGUMENT...]
python record.py --every-call

The last one records every call of one program, and what `strace -c -f` counts of another run of
it (every.counts). The others write NAME.trace and NAME.strace; with --attached only NAME.trace,
of a program that is attached to after one second, and ended after three. The programs are those
of ../strace. To be run as root on a machine whose kernel has tracefs, and not in a container;
strace must be installed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from labctl.observe.strace.options import options
from labctl.observe.tracefs import CALLS

sys.path.append(str(Path(__file__).parents[5] / "images/observer/agent"))

from tracefs import Tracefs

EVERY_CALL = "dd if=/dev/zero of=/dev/null bs=1 count=5 2> /dev/null; (exit 3); exit 4"
"""A shell's text that makes the same calls each time."""


def record_every_call() -> None:
    program = ["/bin/sh", "-c", EVERY_CALL]
    gate = at_gate(program)
    tracefs = Tracefs(f"recording-{os.getpid()}")
    tracefs.start(CALLS, Path("every.trace"), every_call=True)
    tracefs.follow(gate.pid, [gate.pid])
    gate.send_signal(signal.SIGCONT)
    gate.wait()
    tracefs.stop()
    gate = at_gate(program)
    strace = attached("every.strace", options(every_call=True), gate.pid)
    gate.send_signal(signal.SIGCONT)
    gate.wait()
    strace.wait()
    subprocess.run(["strace", "-c", "-f", "-o", "every.counts", *program], check=False)


def at_gate(program: list[str]) -> subprocess.Popen[bytes]:
    gate = subprocess.Popen(["sh", "-c", 'kill -STOP $$; exec "$@"', "gate", *program])
    os.waitid(os.P_PID, gate.pid, os.WSTOPPED | os.WNOWAIT)
    return gate


def attached(file: str, asked: list[str], pid: int) -> subprocess.Popen[bytes]:
    strace = subprocess.Popen(["strace", *asked, "-o", file, "-p", str(pid)])
    while "TracerPid:\t0\n" in Path(f"/proc/{pid}/status").read_text():
        time.sleep(0.01)
    return strace


def record(name: str, program: list[str]) -> None:
    gate = at_gate(program)
    tracefs = Tracefs(f"recording-{os.getpid()}")
    tracefs.start(CALLS, Path(f"{name}.trace"))
    tracefs.follow(gate.pid, [gate.pid])
    strace = attached(f"{name}.strace", options(), gate.pid)
    gate.send_signal(signal.SIGCONT)
    gate.wait()
    strace.wait()
    tracefs.stop()


def record_attached(name: str, program: list[str]) -> None:
    with subprocess.Popen(program) as running:
        time.sleep(1)
        tracefs = Tracefs(f"recording-{os.getpid()}")
        tracefs.start(CALLS, Path(f"{name}.trace"))
        tracefs.follow(running.pid, [running.pid])
        time.sleep(2)
        tracefs.stop()
        running.kill()


if __name__ == "__main__":
    if sys.argv[1] == "--every-call":
        record_every_call()
    elif sys.argv[1] == "--attached":
        record_attached(sys.argv[2], sys.argv[3:])
    else:
        record(sys.argv[1], sys.argv[2:])
