#!/usr/bin/python3
"""Run a server, once it is ready its clients, one after another; say how each ended, as JSON.

pair.py SECONDS SERVER [ARGUMENT...] [-- CLIENT [ARGUMENT...]]...: a server that still runs so
many seconds after the last client has ended gets SIGTERM, so that its exit code is -15.
"""

import itertools
import json
import selectors
import subprocess
import sys
from typing import Any

TO_GET_READY = 60.0
TO_END = 30.0
LONGEST = 60.0
"""Seconds that a client may run."""


def ended(command: list[str], code: int, out: str, err: str) -> dict[str, Any]:
    return {"command": command, "code": code, "out": out, "err": err}


def ready(server: "subprocess.Popen[str]") -> str:
    """Return the first line of the server, empty when none comes in time."""
    assert server.stdout
    with selectors.DefaultSelector() as selector:
        selector.register(server.stdout, selectors.EVENT_READ)
        return server.stdout.readline() if selector.select(TO_GET_READY) else ""


def run(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
    return ended(command, done.returncode, done.stdout, done.stderr)


def main() -> None:
    groups = itertools.groupby(sys.argv[2:], lambda word: word == "--")
    command, *clients = [list(words) for is_dashes, words in groups if not is_dashes]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as server:
        try:
            first = ready(server)
            told = [run(client) for client in clients]
            try:
                server.wait(float(sys.argv[1]))
            except subprocess.TimeoutExpired:
                server.terminate()
            out, err = server.communicate(timeout=TO_END)
        finally:
            server.kill()
    whole = ended(command, server.returncode, first + out, err)
    print(json.dumps({"server": whole, "clients": told}))


if __name__ == "__main__":
    main()
