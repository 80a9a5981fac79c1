"""Plays the programs of tests/programs on two hosts, observed, and judges what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labctl.engine.client import Engine
from labctl.engine.live import LiveLab
from labctl.engine.up import Reporter
from labctl.lab.model import Condition, OutputCondition, Scenario, Step
from labctl.observe.wishes import Wishes
from labctl.play.judged import Judged, judge
from labctl.play.observed import attached, play_observed
from labctl.sequence.pattern import parse

LAB = """\
name: programs
x-lab: {{title: a server and a client of the tests' programs}}
services:
  client: &host
    image: {image}
    user: "1000:1000"
    cap_drop: [ALL]
    init: true
    networks: [lan]
  server: *host
networks:
  lan: {{internal: true}}
"""


def tcp(port: int) -> dict[str, Any]:
    """Return what a server and its clients do right, whatever language they are in."""
    return {
        "port": port,
        "protocol": "tcp",
        "server": [
            *("socket", "bind", "listen", "accept"),
            *("recv+", "send+", "shutdown?", "close|recv=0 close"),
        ],
        "client": ["socket", "connect", "send+", "recv+", "recv=0", "shutdown?", "close"],
        "wire": [
            *("SYN", "SYN-ACK", "ACK", "client>data+"),
            *("server>data+", "server>FIN", "client>FIN"),
        ],
        "never": {"server": ["connect"], "client": ["bind", "listen", "accept"]},
        "before": [["server.listen.return", "client.connect.call"]],
    }


def udp(port: int) -> dict[str, Any]:
    """Return the same of datagrams."""
    return {
        "port": port,
        "protocol": "udp",
        "server": ["socket", "bind", "(recv send)+"],
        "client": ["socket", "send", "recv", "close"],
        "wire": ["client>datagram", "server>datagram"],
        "never": {"server": ["listen", "accept"], "client": ["bind", "listen", "accept"]},
    }


def write_lab(folder: Path, image: str) -> Path:
    file = folder / "compose.yaml"
    file.write_text(LAB.format(image=image))
    return file


def server(argv: Sequence[str], **more: Any) -> Step:
    """Return the step that starts a server, which may serve on until the end."""
    return Step(name="server", host="server", run=[*argv], background=True, **more)


def client(command: str, ready: bool = True) -> Step:
    """Return the step of a client, or several in a shell's words, that may end as they like.

    It starts once the server has said that it is ready.
    """
    when = Condition()
    if ready:
        when = Condition(output=OutputCondition(step="server", contains="ready"))
    return Step(name="client", host="client", run=f"{command}; true", when=when)


def after(step: str) -> Condition:
    return Condition(ended=step)


def play(
    engine: Engine,
    lab: LiveLab,
    steps: Sequence[Step],
    pattern: dict[str, Any],
    tracer: str = "strace",
) -> Judged:
    """Play steps on a lab that is up, observed; return what was seen, judged by a pattern."""
    with attached(engine, lab, Wishes(tracer), Reporter()) as observer:
        scenario = "programs", Scenario(steps=[*steps])
        result, seen = play_observed(engine, lab, observer, scenario)
    return judge(seen.recording, parse(pattern), seen, result)


def report(judged: Judged) -> str:
    """Return all that is said against what was seen; empty where nothing is."""
    wrong = [str(one) for one in judged.diagnoses if one.level != "info"]
    return "\n".join([*([] if judged.verdict else [str(judged.verdict)]), *wrong])
