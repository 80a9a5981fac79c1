"""How an agent is told what to do, and answers: JSON lines on standard input and output.

Each command is one line, {"do": ...}, and gets one line back: {"done": ...} with what came of
it, or {"failed": ...} with one sentence. When standard input ends, whoever gave the commands
is gone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from failure import Failure

OUT = Path("/out")
"""Where an agent's files are."""


class Obedient:
    """The commands, one method each; what it is given are the line's other keys."""

    def __init__(self) -> None:
        OUT.mkdir(exist_ok=True)

    def fetch(self, file: str) -> dict[str, Any]:
        """Send a file: after the answer, which tells its size, its bytes follow as they are."""
        return {"bytes": (OUT / file).stat().st_size}

    def send(self, file: str) -> None:
        """Write a file's bytes to standard output; drop it."""
        with (OUT / file).open("rb") as source:
            while block := source.read(1 << 20):
                sys.stdout.buffer.write(block)
        (OUT / file).unlink()

    def leave(self) -> None:
        """Let go of everything."""


def serve(agent: Obedient) -> None:
    """Obey until standard input ends."""
    try:
        for line in sys.stdin:
            _obey(agent, json.loads(line))
    finally:
        agent.leave()


def _answer(answer: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.flush()


def _obey(agent: Obedient, command: dict[str, Any]) -> None:
    name = command.pop("do")
    method: Callable[..., dict[str, Any]] = getattr(agent, name)
    try:
        done = method(**command)
    except Failure as failure:
        _answer({"failed": str(failure)})
        return
    except OSError as error:
        _answer({"failed": f"{name}: {error}"})
        return
    _answer({"done": done})
    if name == "fetch":
        agent.send(command["file"])
        sys.stdout.buffer.flush()
