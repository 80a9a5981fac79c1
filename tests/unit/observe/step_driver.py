"""Steps a command on this machine with the agent's own modules: run as a program of its own, as
the stepper waits for every child of its process.

Arguments: the agent's folder, a folder for the frames, the most frames, 1 where calls on all
sockets matter, after how many written lines it lets go (0: never), the command.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any


def main() -> None:
    agent, folder, most, everything, enough, *command = sys.argv[1:]
    sys.path.insert(0, agent)
    stepping = importlib.import_module("stepping")
    tasks = importlib.import_module("step_tasks")
    frames = importlib.import_module("step_frames")

    def look(pids: Collection[int]) -> dict[str, Any]:
        tables = []
        for pid in sorted(pids):
            entries = sorted(tasks.sockets(pid).items())
            links = [{"fd": fd, "link": f"socket:[{inode}]"} for fd, inode in entries]
            tables.append({"pid": pid, "descriptors": links})
        return {"processes": tables}

    pid = os.fork()
    if pid == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
        os.execvp(command[0], command)
    os.waitpid(pid, os.WUNTRACED)
    stepping.prepare()
    film = frames.Frames(Path(folder), look, int(most))
    stepper = stepping.Stepper(film, everything == "1")
    stepper.step(pid)
    os.kill(pid, signal.SIGCONT)
    written = Path(folder, frames.FILE)
    while Path(f"/proc/{pid}/fd").exists() and not film.full:
        if int(enough) and written.read_bytes().count(b"\n") >= int(enough):
            break
        time.sleep(0.01)
    if film.full:
        stepper.step(pid)  # who asks too late is not refused
    stepper.stop()
    assert not stepper.notes, stepper.notes
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        return  # the stepper has seen its end


main()
