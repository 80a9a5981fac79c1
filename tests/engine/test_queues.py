"""`labctl queues`: both ends of what waits, on a lab that is played and on one that is watched."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from labctl.engine import down
from labctl.engine.client import Engine
from labctl.engine.live import LiveLab
from labctl.engine.up import Reporter, Wishes, up
from labctl.lab.load import load
from labctl.observe.queues.flows import flows
from labctl.play.queues import sampling

from .conftest import command, labctl, things

LAB = """\
name: {lab}
x-lab:
  title: a receiver that reads late
  scenarios:
    late:
      steps:
        - name: receiver
          host: receiver
          run: [slow_receiver, --rcvbuf, "20000", --stop-after, "0"]
          background: true
        - name: sender
          host: sender
          when: {{listening: "receiver:9100"}}
          run: [stream_sender, receiver, --size, "300000", --sndbuf, "20000"]
          background: true
        - host: receiver
          when:
            output: {{step: receiver, contains: stopped reading}}
            succeeds: {{host: sender, run: "ss -Htni 'dport = 9100' | grep -q 'backoff:[1-9]'"}}
          run: [pkill, -USR1, -x, slow_receiver]
        - host: sender
          when: {{output: {{step: receiver, contains: "end: 300000 bytes"}}, ended: sender}}
          run: [ss, -tan]
    stuck:
      steps:
        - name: receiver
          host: receiver
          run: [slow_receiver, --rcvbuf, "20000", --stop-after, "0"]
          background: true
        - name: sender
          host: sender
          when: {{listening: "receiver:9100"}}
          run: [stream_sender, receiver, --size, "300000", --sndbuf, "20000"]
          background: true
        - host: sender
          when:
            succeeds: {{host: sender, run: "ss -Htni 'dport = 9100' | grep -q 'backoff:[1-9]'"}}
          run: [ss, -tan]
        - host: sender
          when: {{ended: sender}}
          run: [ss, -tan]
    fails:
      steps:
        - {{host: sender, run: [stream_sender, receiver, --port, "9999"]}}
x-host: &host
  image: labctl-host
  user: "1000:1000"
  cap_drop: [ALL]
  init: true
  networks: [lan]
networks: {{lan: {{internal: true}}}}
services:
  sender: {{<<: *host}}
  receiver: {{<<: *host}}
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("late") / "compose.yaml"
    file.write_text(LAB.format(lab="late"))
    return file


@pytest.fixture(scope="module")
def lab(engine: Engine, file: Path) -> Iterator[LiveLab]:
    name = f"t{secrets.token_hex(4)}"
    try:
        yield up(engine, load(file), Wishes(name), Reporter())
    finally:
        down.down(engine, name)


def test_a_play_is_drawn_in_every_form(engine: Engine, file: Path, tmp_path: Path) -> None:
    forms = {
        ".svg": b"<?xml",
        ".png": b"\x89PNG",
        ".html": b"<!doctype html>",
        ".txt": b"late: late\n",
        ".json": b"{",
    }
    files = [tmp_path / f"q{suffix}" for suffix in forms]
    words = [word for one in files for word in ("-o", str(one))]
    ran = labctl("queues", str(file), "-s", "late", *words, "--json")
    assert ran.code == 0, ran.err
    for one, begin in zip(files, forms.values(), strict=True):
        assert one.read_bytes().startswith(begin)
    assert json.loads((tmp_path / "q.json").read_text()) == ran.json
    told = ran.json
    assert told["traced"] is True
    (busy,) = [one for one in told["flows"] if one["highest_send"] > 10_000]
    assert (busy["sender"]["host"], busy["receiver"]["host"]) == ("sender", "receiver")
    assert busy["highest_receive"] > 5_000
    (long,) = [one for one in busy["blocked"] if one["end"] - one["start"] > 200_000_000]
    closed = max(busy["window_closed"], key=lambda one: one["end"] - one["start"])
    assert closed["end"] - closed["start"] > 100_000_000
    # The program is in send before its kernel finds out, and comes back when the window is open.
    assert long["start"] < closed["start"] < long["end"]
    assert busy["probes"] >= 1
    assert [host["host"] for host in told["hosts"]] == ["receiver", "sender"]
    assert all(host["count"] > 10 and not host["wrong"] for host in told["hosts"])


def test_a_lab_that_is_up_is_played_on_and_drawn_as_text(lab: LiveLab) -> None:
    ran = labctl("queues", "late", "--name", lab.name, "--tracer", "none")
    assert ran.code == 0, ran.err
    assert "send queue: bytes that the other end has not acknowledged" in ran.out
    assert "window closed" in ran.out
    assert "send blocked" not in ran.out  # nobody has seen the calls
    assert "\x1b" not in ran.out


def test_a_step_that_fails_is_told_by_the_exit_code(lab: LiveLab) -> None:
    ran = labctl("queues", "fails", "--name", lab.name, "--tracer", "none")
    assert ran.code == 1
    assert "nothing waited in any queue" in ran.out


def test_a_lab_is_watched_until_a_time_or_ctrl_c(engine: Engine, lab: LiveLab) -> None:
    argv = command("queues", "--watch", "--name", lab.name, "--interval", "0.01", "--json")
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watching:
        assert watching.stderr is not None
        while "watching lab" not in watching.stderr.readline():
            assert watching.poll() is None
        assert labctl("run", "late", "--name", lab.name).code == 0
        watching.send_signal(2)
        out, _ = watching.communicate(timeout=60)
    assert watching.returncode == 0
    told = json.loads(out)
    assert told["traced"] is False
    assert max(one["highest_send"] for one in told["flows"]) > 10_000
    quiet = labctl("queues", "--watch", "--name", lab.name, "--timeout", "0.5")
    assert quiet.code == 0, quiet.err
    assert quiet.out.startswith("nothing waited in any queue")
    assert not [one for one in things(engine, lab.name) if ".observer-" in one]


def test_ctrl_c_ends_what_is_played_and_draws_what_was_seen(lab: LiveLab) -> None:
    argv = command("queues", "stuck", "--name", lab.name)
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as playing:
        assert playing.stderr is not None
        while "waits until step sender has ended" not in playing.stderr.readline():
            assert playing.poll() is None
        playing.send_signal(2)
        out, said = playing.communicate(timeout=120)
    assert playing.returncode == 130, said
    assert "send queue up to" in out
    assert "interrupted: what was seen until now follows" in said


def test_a_host_that_ends_meanwhile_keeps_what_was_seen(
    engine: Engine, file: Path, name: str
) -> None:
    live = up(engine, load(file), Wishes(name), Reporter())
    with sampling(engine, live) as sampler:
        engine.sdk.api.kill(live.host("receiver").container, "SIGKILL")
        engine.sdk.api.wait(live.host("receiver").container, timeout=30)
    assert [one.host for one in sampler.sampled.hosts] == ["receiver", "sender"]
    assert all(flow.quiet for flow in flows(sampler.sampled))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("x", "-o", "q.gif"), "nothing is known of files ending in .gif"),
        (("x", "-o", "nowhere/q.svg"), "there is no folder nowhere"),
        (("--watch", "late"), "--watch plays nothing"),
        (("late", "--tracer", "strase"), "there is no tracer strase"),
        (("late", "--interval", "0"), "0"),
        (("no-such-lab",), "no-such-lab"),
        (("--watch", "--name", "no-such-lab"), "no-such-lab"),
    ],
)
def test_wrong_usage_is_told_in_two_lines(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    ran = labctl("queues", *words, cwd=tmp_path)
    assert ran.code == 2, ran.err
    assert said in ran.err
    assert len(ran.err.splitlines()) == 2
