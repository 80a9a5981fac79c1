"""The crowd and the audience: an honest load, and answers that are checked."""

from __future__ import annotations

import json
import random
import resource
import signal
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from crowd_names import Expected, Names
from hypothesis import given
from hypothesis import strategies as st
from offered import Offered, due_times, percentile
from splitting import WAYS, Split

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import Dial, FakeServer, Program, Run, Start, Until


def at(*directories: Program) -> list[str]:
    return [f"127.0.0.1:{directory.port}" for directory in directories]


def told(text: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    head, *rows = [json.loads(line) for line in text.splitlines()]
    return head, rows


@given(st.integers(1, 200), st.floats(0.1, 10), st.integers())
def test_a_load_has_as_many_questions_as_it_says(rate: int, seconds: float, seed: int) -> None:
    dues = list(due_times(rate, seconds, random.Random(seed)))
    assert len(dues) == max(round(rate * seconds), 1)
    assert dues == sorted(dues)
    assert 0 <= dues[0] <= dues[-1] <= seconds


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0, 1))
def test_a_percentile_is_not_exceeded_by_its_part(values: list[float], part: float) -> None:
    values.sort()
    found = percentile(values, part)
    assert found in values
    assert found is not None
    assert sum(value <= found for value in values) >= part * len(values) - 1e-6


def test_questions_without_an_answer_count_as_late_as_can_be() -> None:
    offered = Offered(10, 2, patience=7, asked=4)
    offered.answered(0.5, 0.6)
    offered.answered(1.0, 3.0, right=False)
    row = offered.row()
    assert (row["answered"], row["wrong"], row["per_second"]) == (2, 1, 0.5)
    assert (row["p50"], row["p99"]) == (2.0, 7)


@pytest.mark.parametrize("way", WAYS)
@given(st.integers(1, 5), st.integers(0, 1000), st.integers(0, 500))
def test_whoever_is_asked_knows_of_the_file(way: str, count: int, peer: int, file: int) -> None:
    split = Split(way, count)
    name = NAMES.names[file]
    words = tuple(name.split()[:5])
    asked = split.asked("asker", words)
    assert split.told(f"crowd{peer}", name) & set(asked)
    assert len(set(asked)) == len(asked) == (count if way == "peers" else 1)


NAMES = Names(501, 1)


def test_what_is_expected_is_told_from_what_is_not() -> None:
    expected = Expected(["a b c d e 0.mp3", "a c d e f 1.mp3"])
    assert expected.numbers(("a", "c")) == {0, 1}
    assert expected.are_right(["a b c d e 0.mp3"], ("b",), 1)
    assert not expected.are_right([], ("b",), 1)
    assert not expected.are_right(["a b c d e 0.mp3"] * 2, ("b",), 2)
    assert not expected.are_right(["a c d e f 1.mp3"], ("b",), 1)


@pytest.mark.parametrize("way", WAYS)
def test_two_directories_answer_as_one(
    start: Start, directory: Program, run: Run, way: str
) -> None:
    second = start("directory", "--host", "127.0.0.1", "--port", 0)
    words = ("--peers", 30, "--rates", "20", "--seconds", 1, "--verify", "--json")
    head, (row,) = told(run("crowd", *at(directory, second), "--split", way, *words).stdout)
    assert head["of"] == "searches"
    assert (head["peers"], head["files"], head["split"]) == (30, 300, way)
    assert (row["asked"], row["answered"], row["wrong"], row["lost"]) == (20, 20, 0, 0)


def test_wrong_answers_fail(directory: Program, dial: Dial, run: Run) -> None:
    """Somebody else has files of the very same names: more is found than the crowd has shared."""
    line = dial(directory.port)
    line.login("other")
    for name in Names(300, 1).names:
        line.say(100, f'"{name}" {"0" * 32} 9 0 0 0')
    line.say(214)
    assert line.hear() == (214, "1 300 0")
    done = run(
        *("crowd", *at(directory), "--peers", 30, "--rates", "20"),
        *("--seconds", 1, "--verify"),
    )
    assert done.returncode == 1
    assert "answers are wrong" in done.stderr


def test_one_deaf_peer_does_not_keep_the_others_from_answers(directory: Program, run: Run) -> None:
    words = ("--peers", 10, "--rates", "10", "--seconds", 1, "--deaf", "--json")
    done = run("crowd", *at(directory), *words)
    assert done.returncode == 0, done.stderr
    assert told(done.stdout)[1][0]["answered"] == 10


def test_it_registers_again_when_the_directory_is_back(
    start: Start, kept_port: int, run: Run, until: Until
) -> None:
    where = ("directory", "--host", "127.0.0.1", "--port", kept_port)
    directory = start(*where)
    crowd = start("crowd", *at(directory), "--peers", 20, "--stay")
    crowd.wait_for("20 peers with 200 files registered")
    directory.stop(signal.SIGKILL)
    crowd.wait_for("a directory is lost")
    start(*where)
    crowd.wait_for("all are registered again")
    shown = json.loads(run("directory", "table", "--port", kept_port, "--json").stdout)
    assert (len(shown["users"]), len(shown["files"])) == (20, 200)
    assert crowd.stop() == 143


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("127.0.0.1:1",), 1, "no directory at 127.0.0.1:1: Connection refused"),
        (("127.0.0.1:1", "--rates", "3,2"), 2, "is no list of rising rates"),
        (("127.0.0.1:1", "--rates", "0"), 2, "is no list of rising rates"),
        (("127.0.0.1:1", "--seconds", "0"), 2, "--seconds: more than 0"),
        (("127.0.0.1:1", "--peers", "0"), 2, "is no number from"),
        (("127.0.0.1:x",), 2, "is no number from 0 to 65535"),
    ],
)
def test_what_cannot_be_is_said(run: Run, words: tuple[str, ...], code: int, why: str) -> None:
    done = run("crowd", *words)
    assert done.returncode == code
    assert why in done.stderr


def test_too_many_peers_for_its_descriptors(run: Run) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))

    done = run("crowd", "127.0.0.1:1", "--peers", 100, before=few)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "132 descriptors are needed, this process may have 100" in done.stderr


def test_a_nick_that_is_taken_is_told(directory: Program, dial: Dial, run: Run) -> None:
    dial(directory.port).login("crowd3")
    done = run("crowd", *at(directory), "--peers", 5)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "refuses crowd3: crowd3 is logged in already" in done.stderr


def test_an_audience_is_served(start: Start, run: Run, tmp_path: Path) -> None:
    (tmp_path / "song.mp3").write_bytes(bytes(100_000))
    server = start("tcp_server", "--host", "127.0.0.1", "--port", 0, "--root", tmp_path)
    words = ("--port", server.port, "--rates", "10", "--seconds", 1, "--json")
    head, (row,) = told(run("audience", "127.0.0.1", "song.mp3", *words).stdout)
    assert head["of"] == "downloads"
    assert row["asked"] == row["answered"] == 10
    assert row["bytes"] == 10 * (len("OK 100000\n") + 100_000 + 72)
    missing = run("audience", "127.0.0.1", "none.mp3", *words)
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    assert "the server answers: ERR no such file" in missing.stderr


def test_a_download_that_is_cut_short_is_none(run: Run, fake_server: FakeServer) -> None:
    def half(sock: socket.socket) -> None:
        sock.recv(100)
        sock.sendall(b"OK 1000\n" + bytes(500))

    words = ("--port", fake_server(half), "--rates", "5", "--seconds", 1)
    done = run("audience", "127.0.0.1", "x", *words)
    assert done.returncode == 1
    assert "no download ends any more" in done.stderr


SEARCH = b'FILENAME CONTAINS "mp3"'
BAD = {
    "garbage": random.Random(1).randbytes(60_000),
    "half a message": struct.pack("<HH", 2000, 200) + b"FILENAME",
    "a huge length": struct.pack("<HH", 65535, 100) + b"x" * 60_000,
    "a flood": struct.pack("<HH", 0, 999) * 10_000,
    "never reads": (struct.pack("<HH", len(SEARCH), 200) + SEARCH) * 1000,
}


def test_ten_thousand_peers_are_served_beside_those_who_behave_badly(
    directory: Program, dial: Dial, start: Start, until: Until
) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    peers = 10_000 if most == resource.RLIM_INFINITY else min(10_000, most - 200)
    assert peers > 800, "this machine lets a process have too few descriptors"
    where = ("crowd", *at(directory), "--patience", 300)
    crowd = start(*where, "--peers", peers, "--files", 2, "--stay")
    crowd.wait_for(f"{peers} peers with {2 * peers} files registered", patience=300)
    for kind, data in BAD.items():
        line = dial(directory.port)
        line.login(kind.replace(" ", "-"))
        line.sock.settimeout(0.2)
        try:
            for _ in range(200):
                line.send(data)
        except OSError:
            continue
    asking = start(
        *(*where, "--peers", 20, "--files", 1, "--nick", "asker", "--seed", 2),
        *("--rates", "20", "--seconds", 1, "--json"),
    )
    row = json.loads(asking.wait_for('"load"', patience=300).string)
    assert (row["asked"], row["answered"], row["lost"]) == (20, 20, 0)
    witness = dial(directory.port)
    witness.sock.settimeout(60)
    witness.login("witness")
    witness.say(214)
    users = int(witness.hear()[1].split()[0])
    assert users >= peers  # nobody honest has been dropped
    assert directory.stop() == 0
