"""Peers as they run: serving, fetching, and staying registered."""

from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import Dial, FakeServer, Line, Program, Run, Start, Until

SONG = os.urandom(3 * 2**20 + 11)


def tempting(outside: Path) -> Path:
    """A folder to share, with temptations to leave it."""
    folder = outside / "shared"
    folder.mkdir()
    (folder / "a song.mp3").write_bytes(SONG)
    (folder / "empty").touch()
    (outside / "secret").write_text("secret")
    (folder / "link").symlink_to(outside / "secret")
    (folder / ".hidden").write_text("half")
    (folder / "sub").mkdir()
    os.mkfifo(folder / "fifo")
    return folder


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    return tempting(tmp_path)


@pytest.fixture(scope="module")
def server(start_once: Start, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A peer that only serves: where its directory should be there is none."""
    folder = tempting(tmp_path_factory.mktemp("peer"))
    return start_once(
        *("peer", "run", "anna", "--directory", "127.0.0.1:1", "--share", folder, "--port", 0)
    )


@pytest.fixture
def peer(start: Start, directory: Program, shared: Path) -> Program:
    program = run_peer(start, directory, "anna", shared)
    program.wait_for("registered as anna")
    return program


def run_peer(start: Start, directory: Program, nick: str, folder: Path) -> Program:
    at = f"127.0.0.1:{directory.port}"
    return start(
        *("peer", "run", nick, "--directory", at, "--share", folder),
        *("--port", 0, "--rescan", 0.1),
    )


def get(run: Run, directory: Program, out: Path, *words: object, **more: Any) -> Any:
    at = f"127.0.0.1:{directory.port}"
    return run(*("peer", "get", *words, "--directory", at, "--out", out, "--nick", "xen"), **more)


def shared_names(run: Run, directory: Program) -> list[str]:
    done = run("directory", "table", "--port", directory.port, "--json")
    return [row["file"] for row in json.loads(done.stdout)["files"]]


def test_the_four_steps(directory: Program, peer: Program, run: Run, tmp_path: Path) -> None:
    done = get(run, directory, tmp_path, "a song.mp3", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (tmp_path / "a song.mp3").read_bytes() == SONG
    assert report["sha256"] == hashlib.sha256(SONG).hexdigest()
    assert report["proofs"] == ["size", "md5", "sha256"]
    assert report["directory"] == ["127.0.0.1", directory.port]
    assert report["holders"] == [{"nick": "anna", "ip": "127.0.0.1", "round_trip": None}]
    assert report["chosen"] == {"nick": "anna", "ip": "127.0.0.1", "port": peer.port}
    assert report["remote"] == ["127.0.0.1", peer.port]
    assert report["bytes"] == len(SONG)
    assert report["path"] == str(tmp_path / "a song.mp3")
    steps = report["steps"]
    assert [step["step"] for step in steps] == [1, 2, 3, 3, 4]
    ends = [(step["from"][1], step["to"][1]) for step in steps]
    asking, fetching = ends[0][0], report["local"][1]
    assert ends == [
        (asking, directory.port),
        (directory.port, asking),
        (asking, directory.port),
        (fetching, peer.port),
        (peer.port, fetching),
    ]
    assert steps[-1]["bytes"] == len(SONG)
    assert all(step["seconds"] >= 0 and step["bytes"] > 0 for step in steps)
    shown = get(run, directory, tmp_path, "empty")
    assert "right by size, md5, sha256" in shown.stdout
    assert (tmp_path / "empty").read_bytes() == b""


def test_search_lists_what_others_share(directory: Program, peer: Program, run: Run) -> None:
    at = f"127.0.0.1:{directory.port}"
    done = run("peer", "search", "SONG", "a", "--directory", at, "--json")
    md5 = hashlib.md5(SONG[:300_000]).hexdigest()
    assert json.loads(done.stdout) == [
        {
            "name": "a song.mp3",
            "size": len(SONG),
            "md5": md5,
            "nick": "anna",
            "ip": "127.0.0.1",
            "link": 0,
            "round_trip": None,
        }
    ]
    assert run("peer", "search", "nothing", "--directory", at).stdout == ""


@pytest.mark.parametrize("command", ["search", "get"])
def test_what_is_too_long_to_be_asked_for_is_said_in_one_line(
    directory: Program, run: Run, command: str
) -> None:
    done = run("peer", command, "x" * 2100, "--directory", f"127.0.0.1:{directory.port}")
    assert done.returncode == 1
    assert re.fullmatch("peer.py: that cannot be asked for: .* at most 2048 .*\n", done.stderr)


def asked(dial: Dial, server: Program, *pieces: bytes) -> Line:
    line = dial(server.port)
    assert line.exactly(1) == b"1"
    for piece in pieces:
        line.send(piece)
    return line


@pytest.mark.parametrize("offset", [0, 1, 2**20, len(SONG) - 1, len(SONG)])
def test_get_from_an_offset_byte_for_byte(server: Program, dial: Dial, offset: int) -> None:
    line = asked(dial, server, b"GET", f'xen "a song.mp3" {offset}'.encode())
    expected = str(len(SONG)).encode() + SONG[offset:]
    assert line.exactly(len(expected)) == expected
    line.send(b"SHA256")
    assert line.rest() == hashlib.sha256(SONG).hexdigest().encode()


def test_get_in_single_bytes_and_to_the_end_of_the_stream(server: Program, dial: Dial) -> None:
    slow = asked(dial, server, *(bytes([byte]) for byte in b'GETxen "empty" 0'))
    assert slow.exactly(1) == b"0"
    slow.send(b"what?!")
    assert slow.rest() == b""
    closed = asked(dial, server, b'GETxen "a song.mp3" 3145738')
    closed.sock.shutdown(socket.SHUT_WR)
    assert closed.rest() == str(len(SONG)).encode() + SONG[3145738:]


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "link", "sub", "fifo", ".hidden", ".", "..", "none"]
)
def test_nothing_outside_the_folder_is_served(server: Program, dial: Dial, name: str) -> None:
    assert asked(dial, server, f'GETxen "{name}" 0'.encode()).rest() == b"FILE NOT SHARED"


@pytest.mark.parametrize(
    "request_",
    [
        *(b"\x00\xff", b"SEND", b'GETxen "empty" 1 ', b"GET" + b"x" * 1149),
        *(b'GETxen "a\x00" 99999999999999999 ', b"G\n"),
    ],
)
def test_garbage_is_an_invalid_request(server: Program, dial: Dial, request_: bytes) -> None:
    answer = asked(dial, server, request_).rest()
    assert answer == (b"FILE NOT SHARED" if b'\x00"' in request_ else b"INVALID REQUEST")


def test_strangers_who_vanish_do_not_stop_it(server: Program, dial: Dial) -> None:
    waiting = [dial(server.port) for _ in range(20)]
    for line in waiting[:10]:
        line.send(b"GETxen")
        line.reset()
    half = asked(dial, server, b'GETxen "a song.mp3" 0')
    half.exactly(10)
    half.reset()
    server.wait_for("lost")
    assert asked(dial, server, b'GETxen "empty" 0').exactly(1) == b"0"


def test_the_folder_is_followed(
    directory: Program, peer: Program, run: Run, shared: Path, until: Until
) -> None:
    assert shared_names(run, directory) == ["a song.mp3", "empty"]
    (shared / "new").write_text("new")
    (shared / 'quo"te').write_text("cannot be sent")
    until(lambda: shared_names(run, directory) == ["a song.mp3", "empty", "new"])
    (shared / "new").unlink()
    (shared / "empty").rename(shared / "later")
    until(lambda: shared_names(run, directory) == ["a song.mp3", "later"])


def test_sigterm_leaves_the_table_and_ends_with_0(
    directory: Program, peer: Program, run: Run
) -> None:
    assert peer.stop() == 0
    directory.wait_for("anna left")
    assert shared_names(run, directory) == []


def test_a_peer_registers_before_and_after_the_directory_is_there(
    start: Start, shared: Path, run: Run, tmp_path: Path, kept_port: int
) -> None:
    port = kept_port
    directory = start("directory", "--host", "127.0.0.1", "--port", port)
    peer = run_peer(start, directory, "anna", shared)
    peer.wait_for("registered as anna")
    assert directory.stop() == 0
    peer.wait_for("directory lost")
    failed = get(run, directory, tmp_path, "empty")
    assert failed.returncode == 1
    assert f"no directory at 127.0.0.1:{port}: Connection refused" in failed.stderr
    peer.wait_for("not registered")
    start("directory", "--host", "127.0.0.1", "--port", port)
    peer.wait_for("registered as anna", times=2)
    assert get(run, directory, tmp_path, "empty", "--wait", 15).returncode == 0


def test_a_nick_in_use_is_tried_again(
    directory: Program, start: Start, shared: Path, dial: Dial
) -> None:
    other = dial(directory.port)
    other.login("anna")
    peer = run_peer(start, directory, "anna", shared)
    peer.wait_for("not registered.*anna is logged in already")
    other.sock.close()
    peer.wait_for("registered as anna with")


Answer = Callable[[socket.socket], None]


def saying(*answers: bytes) -> Answer:
    """A holder that takes a request and answers; a further answer follows what comes next."""

    def answer(connection: socket.socket) -> None:
        take_request(connection)
        for number, piece in enumerate(answers):
            if number:
                connection.recv(100)
            connection.sendall(piece)

    return answer


def take_request(connection: socket.socket) -> int:
    """Say `1` and receive a download request; returns its offset."""
    connection.sendall(b"1")
    request = b""
    while not (match := re.fullmatch(rb'GETxen-get-\d+ "a song.mp3" (\d+)', request)):
        piece = connection.recv(1000)
        if not piece:
            raise ConnectionResetError
        request += piece
    return int(match[1])


def liar(directory: Program, dial: Dial, fake_server: FakeServer, answer: Answer) -> None:
    """Register `bob`, who claims to have the song and accepts every request for it."""
    port = fake_server(answer)
    bob = dial(directory.port)
    bob.login("bob", port)
    md5 = hashlib.md5(SONG[:300_000]).hexdigest()
    bob.say(100, f'"a song.mp3" {md5} {len(SONG)} 0 0 0')
    bob.say(214)
    bob.hear()
    accept_for(bob)


def accept_for(line: Line) -> None:
    """Answer every 607 on the line with 608, in the background, however long none comes."""
    line.sock.settimeout(None)

    def accept() -> None:
        try:
            while True:
                kind, data = line.hear()
                if kind == 607:
                    line.say(608, data)
        except (OSError, AssertionError):
            return

    threading.Thread(target=accept, daemon=True).start()


HEAD = str(len(SONG)).encode()
WRONG = SONG[:-1] + bytes([SONG[-1] ^ 1])


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (saying(b"FILE NOT SHARED"), "FILE NOT SHARED"),
        (saying(b"12"), "another size"),
        (saying(HEAD + SONG[:1000]), "cut short"),
        (saying(HEAD + bytes(len(SONG))), "wrong bytes: the directory knows MD5"),
        (saying(HEAD + WRONG, b"0" * 64), "wrong bytes: the holder has SHA-256"),
        (lambda connection: None, "no Napster peer"),
    ],
    ids=["refused", "size", "cut short", "md5", "sha256", "hangs up"],
)
def test_when_the_first_holder_fails_another_delivers(
    directory: Program,
    peer: Program,
    dial: Dial,
    fake_server: FakeServer,
    run: Run,
    tmp_path: Path,
    answer: Answer,
    why: str,
) -> None:
    liar(directory, dial, fake_server, answer)
    alone = get(run, directory, tmp_path, "a song.mp3", "--from", "bob")
    assert alone.returncode == 1
    assert why in alone.stderr
    assert not (tmp_path / "a song.mp3").exists()
    assert not list(tmp_path.glob(".part-*"))
    # The order is random: anna must deliver in the end, whoever is asked first.
    for _ in range(2):
        report = json.loads(get(run, directory, tmp_path, "a song.mp3", "--json").stdout)
        assert report["chosen"]["nick"] == "anna"
        assert {failure["nick"] for failure in report["failed"]} <= {"bob"}
        assert (tmp_path / "a song.mp3").read_bytes() == SONG


def test_an_old_client_without_sha256_is_good_enough(
    directory: Program, dial: Dial, fake_server: FakeServer, run: Run, tmp_path: Path
) -> None:
    liar(directory, dial, fake_server, saying(HEAD + SONG))
    report = json.loads(get(run, directory, tmp_path, "a song.mp3", "--json").stdout)
    assert report["proofs"] == ["size", "md5"]
    assert (tmp_path / "a song.mp3").read_bytes() == SONG


def test_a_download_that_breaks_goes_on_where_it_stopped(
    directory: Program, dial: Dial, fake_server: FakeServer, run: Run, tmp_path: Path
) -> None:
    offsets: list[int] = []

    def break_off(connection: socket.socket) -> None:
        offset = take_request(connection)
        offsets.append(offset)
        connection.sendall(HEAD + SONG[offset : offset + 2**20])

    liar(directory, dial, fake_server, break_off)
    assert get(run, directory, tmp_path, "a song.mp3").returncode == 0
    assert offsets == [0, 2**20, 2 * 2**20, 3 * 2**20]
    assert (tmp_path / "a song.mp3").read_bytes() == SONG


def test_a_holder_that_cannot_be_reached(
    directory: Program, dial: Dial, run: Run, tmp_path: Path, kept_port: int
) -> None:
    bob = dial(directory.port)
    bob.login("bob", kept_port)
    bob.say(100, '"x" 0 5 0 0 0')
    bob.say(214)
    bob.hear()
    accept_for(bob)
    done = get(run, directory, tmp_path, "x", "--patience", 0.5)
    assert done.returncode == 1
    assert done.stderr == (
        "peer.py: x: no holder delivers it: bob: it cannot be reached (Connection refused),"
        " and it has not connected to this peer within 0.5 s\n"
    )


def test_ones_own_peer_is_not_asked(
    directory: Program, start: Start, shared: Path, run: Run, tmp_path: Path
) -> None:
    run_peer(start, directory, "xen", shared).wait_for("registered as xen")
    done = get(run, directory, tmp_path, "empty", "--wait", 0.2)
    assert done.returncode == 1
    assert "nobody has empty" in done.stderr
    assert (
        "carl does not have empty"
        in get(run, directory, tmp_path, "empty", "--from", "carl").stderr
    )


def test_get_waits_until_somebody_has_it(
    directory: Program, start: Start, shared: Path, tmp_path: Path
) -> None:
    at = f"127.0.0.1:{directory.port}"
    getting = start(*("peer", "get", "empty", "--directory", at, "--out", tmp_path, "--wait", 60))
    directory.wait_for("get-.* joined")
    run_peer(start, directory, "anna", shared)
    getting.wait_for("empty: 0 bytes")
    assert getting.process.wait(10) == 0


def test_a_full_disk_leaves_nothing(
    directory: Program, peer: Program, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    done = get(
        *(run, directory, out, "a song.mp3"),
        before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert done.returncode == 1
    assert "cannot write" in done.stderr
    assert list(out.iterdir()) == []


def test_wrong_usage(run: Run, tmp_path: Path) -> None:
    def code(*words: object) -> subprocess.CompletedProcess[str]:
        return run("peer", *words)

    assert code().returncode == 2
    assert code("run", "a b", "--directory", "x").returncode == 2
    assert code("run", "a").returncode == 2
    assert code("get", 'a"b', "--directory", "x").returncode == 2
    assert code("get", "a", "--directory", "x:99999").returncode == 2
    missing = code("run", "a", "--directory", "127.0.0.1", "--share", tmp_path / "none")
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
