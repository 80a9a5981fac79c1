"""Makes a recording: strace attaches to a stopped shell, which then executes the program.

python record.py FILE PROGRAM [ARGUMENT...]
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from labctl.observe.strace.options import options


def record(file: str, program: list[str]) -> None:
    gate = subprocess.Popen(["sh", "-c", 'kill -STOP $$; exec "$@"', "gate", *program])
    os.waitid(os.P_PID, gate.pid, os.WSTOPPED | os.WNOWAIT)
    tracer = subprocess.Popen(["strace", *options(), "-o", file, "-p", str(gate.pid)])
    while "TracerPid:\t0\n" in Path(f"/proc/{gate.pid}/status").read_text():
        time.sleep(0.01)
    gate.send_signal(signal.SIGCONT)
    gate.wait()
    tracer.wait()


if __name__ == "__main__":
    record(sys.argv[1], sys.argv[2:])
