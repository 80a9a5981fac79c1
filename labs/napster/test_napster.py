"""The lab napster, checked on its hosts: the directory's table, the four steps, who sent what."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from typing import Any

import pytest

from labctl.play.seen import SeenTimeline
from labctl.play.under_test import LabUnderTest

PEERS = ("x", "a", "b", "c")
SONG = "numbers.txt"
PATIENCE = 30.0
Host = Callable[[str], Any]


def table(lab: LabUnderTest) -> dict[str, Any]:
    done = lab.exec("directory", "directory", "table", "--json")
    assert done.code == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def holders(lab: LabUnderTest, name: str) -> dict[str, tuple[str, int]]:
    """Return who has a file, by nick, with the address that the directory gives."""
    return {
        holder["nick"]: (holder["ip"], holder["port"])
        for file in table(lab)["files"]
        if file["file"] == name
        for holder in file["holders"]
    }


def users(lab: LabUnderTest) -> set[str]:
    return {user["nick"] for user in table(lab)["users"]}


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds; fail when it does not in half a minute."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE:g} s: {what}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def shared(lab: LabUnderTest) -> None:
    """The scenario has been played: a, b and c share the file, x has fetched it."""
    result = lab.run("four-steps")
    assert result.passed, result.failed_step


@pytest.mark.scenario("four-steps")
def test_the_file_goes_from_peer_to_peer(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)


@pytest.mark.scenario("nobody-has-it")
def test_what_nobody_shares_is_asked_of_no_peer(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)


def test_the_directory_and_the_peers_listen(host: Host) -> None:
    assert host("directory").socket("tcp://0.0.0.0:8888").is_listening
    for name in PEERS:
        assert host(name).socket("tcp://0.0.0.0:6699").is_listening


def test_everybody_has_a_network_and_a_namespace_of_their_own(
    lab: LabUnderTest, host: Host
) -> None:
    everybody = ("directory", *PEERS)
    assert len({IPv4Network(lab.subnet(f"net-{name}")) for name in everybody}) == len(everybody)
    inodes = {host(name).check_output("readlink /proc/self/ns/net") for name in everybody}
    assert len(inodes) == len(everybody)


@pytest.mark.parametrize("name", ["directory", "x", "a"])
def test_programs_run_as_an_ordinary_user(host: Host, name: str) -> None:
    program = "directory" if name == "directory" else "peer"
    assert host(name).process.filter(user="student", comm=program)
    # An engine that runs a health check is root for a moment, as `runc:[2:INIT]`.
    roots = [p.comm for p in host(name).process.filter(user="root")]
    assert not [comm for comm in roots if not comm.startswith("runc")]


def test_the_file_arrives_bit_for_bit(lab: LabUnderTest, host: Host, shared: None) -> None:
    received = host("x").file(f"/tmp/{SONG}").sha256sum
    for name in ("a", "b", "c"):
        assert host(name).file(f"/srv/files/{SONG}").sha256sum == received


def test_the_table_has_every_holder_with_its_address(lab: LabUnderTest, shared: None) -> None:
    expected = {name: (lab.address(name), 6699) for name in ("a", "b", "c")}
    assert holders(lab, SONG) == expected


def test_the_four_steps_go_where_they_should(lab: LabUnderTest, shared: None) -> None:
    argv = ("peer", "get", SONG, "--directory", "directory", "--out", "/tmp", "--json")
    done = lab.exec("x", *argv)
    assert done.code == 0, done.stderr
    told = json.loads(done.stdout)
    chosen = told["chosen"]["nick"]
    assert {holder["nick"] for holder in told["holders"]} == {"a", "b", "c"}
    assert told["remote"] == [lab.address(chosen), 6699]
    directory, x = lab.address("directory"), lab.address("x")
    ends = [(step["from"][0], step["to"][0]) for step in told["steps"]]
    assert ends[0] == (x, directory)
    assert ends[1] == (directory, x)
    assert ends[-1] == (lab.address(chosen), x)
    assert told["steps"][-1]["bytes"] == told["bytes"] == 4_088_895
    assert sum(step["bytes"] for step in told["steps"][:-1]) < 2_000


@pytest.mark.parametrize("holder", ["a", "b", "c"])
def test_any_holder_can_be_picked(lab: LabUnderTest, shared: None, holder: str) -> None:
    argv = ("peer", "get", SONG, "--directory", "directory", "--out", "/tmp", "--from", holder)
    assert lab.exec("x", *argv).code == 0
    assert lab.address("x") in lab.logs(holder)


def test_a_file_that_nobody_has_is_a_clear_error(lab: LabUnderTest) -> None:
    result = lab.run("nobody-has-it")
    assert result.passed, result.failed_step
    assert "nobody has no-such-song.mp3" in result.step("get").stderr


@contextmanager
def stopped(lab: LabUnderTest, name: str) -> Iterator[None]:
    """Stop a host within the block, start it again, and wait until its program listens."""
    container = lab.engine.sdk.containers.get(lab.host(name).container)
    container.stop(timeout=10)
    try:
        yield
    finally:
        container.start()
    port = "8888" if name == "directory" else "6699"
    eventually(lambda: lab.exec(name, "listening", port).code == 0, f"{name} listens again")


def test_the_table_follows_a_peer_that_leaves_and_comes_back(
    lab: LabUnderTest, shared: None
) -> None:
    assert "c" in holders(lab, SONG)
    with stopped(lab, "c"):
        eventually(lambda: "c" not in users(lab), "c leaves the directory's table")
        assert set(holders(lab, SONG)) == {"a", "b"}
    eventually(lambda: "c" in holders(lab, SONG), "c is in the table again with its file")
    assert holders(lab, SONG)["c"] == (lab.address("c"), 6699)


def test_a_newcomer_is_in_the_table_while_it_is_there(lab: LabUnderTest, host: Host) -> None:
    before = users(lab)
    start = (
        "mkdir -p /tmp/new && echo hello > /tmp/new/hello.txt && "
        "peer run newcomer --directory directory --share /tmp/new --port 6700 "
        ">/tmp/newcomer.log 2>&1 & echo $!"
    )
    pid = lab.exec("b", "sh", "-c", start).stdout.decode().strip()
    eventually(lambda: "newcomer" in holders(lab, "hello.txt"), "the newcomer shares its file")
    assert users(lab) == before | {"newcomer"}
    assert lab.exec("b", "kill", pid).code == 0
    eventually(lambda: users(lab) == before, "the newcomer is gone from the table")
    assert holders(lab, "hello.txt") == {}


def test_peers_register_again_when_the_directory_is_back(lab: LabUnderTest, shared: None) -> None:
    with stopped(lab, "directory"):
        done = lab.exec("x", "peer", "search", "numbers", "--directory", "directory")
        assert done.code == 1
        assert b"directory" in done.stderr
    eventually(lambda: set(holders(lab, SONG)) == {"a", "b", "c"}, "all have registered again")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "link"])
def test_a_peer_gives_nothing_away_but_its_folder(lab: LabUnderTest, name: str) -> None:
    lab.exec("a", "ln", "-sf", "/etc/passwd", "/srv/files/link")
    ask = (
        "import socket, sys\n"
        "peer = socket.create_connection((sys.argv[1], 6699), 10)\n"
        "assert peer.recv(1) == b'1'\n"
        "peer.sendall(b'GET')\n"
        "peer.sendall(f'thief \"{sys.argv[2]}\" 0'.encode())\n"
        "answer = b''\n"
        "while piece := peer.recv(4096): answer += piece\n"
        "print(answer)\n"
    )
    done = lab.exec("x", "python3", "-c", ask, lab.address("a"), name)
    assert done.code == 0, done.stderr
    assert b"root:" not in done.stdout
    assert b"FILE NOT SHARED" in done.stdout or b"INVALID REQUEST" in done.stdout
