"""The lab napster, checked on its hosts: the directory's table, the four steps, who sent what."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import IPv4Network
from typing import Any

import pytest

from labctl.play.seen import SeenTimeline
from labctl.play.under_test import LabUnderTest

pytestmark = pytest.mark.lab(timeout=180)

PEERS = ("x", "a", "b", "c", "far")
SONG = "numbers.txt"
PATIENCE = 60.0
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
    """Wait until something holds; fail when it does not within PATIENCE."""
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
    # Of the same run: the first and second step, and that the directory calls nobody.
    verdict = timeline.matches(
        {
            "x": ["socket", "connect", "send", "recv+", "(send|recv)*", "close?"],
            "directory": ["socket", "bind", "listen", "accept", "(recv|send)+", "close?"],
            "before": [["x.send.call", "directory.recv.return", "x.recv.return"]],
            "never": {"directory": ["connect"]},
            "port": 8888,
            "connections": "2+",
        }
    )
    assert verdict, str(verdict)


@pytest.mark.scenario("search")
def test_searching_is_client_and_server(timeline: SeenTimeline) -> None:
    verdict = timeline.matches(timeline.declared)
    assert verdict, str(verdict)


@pytest.mark.scenario("behind-nat")
def test_a_peer_behind_nat_is_the_one_that_connects(timeline: SeenTimeline) -> None:
    verdict = timeline.matches(timeline.declared)
    assert verdict, str(verdict)


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
    everybody = ("directory", *PEERS, "nat")
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
    assert lab.logged(holder, lab.address("x"))


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


def test_a_transfer_goes_on_without_its_directory(lab: LabUnderTest) -> None:
    """Killed in the middle of it; a search fails meanwhile; back again, all is found again."""
    result = lab.run("directory-dies")
    assert result.passed, result.failed_step
    assert "no directory at directory:8889: Connection refused" in result.step("search").stderr
    assert "slow.txt: 6888896 bytes" in result.step("get").stdout


def test_the_table_before_during_and_after(lab: LabUnderTest) -> None:
    eventually(lambda: users(lab) == {*PEERS, "nat"}, "everybody is registered")
    result = lab.run("comes-and-goes")
    assert result.passed, result.failed_step
    tables = [result.step(name).stdout.splitlines() for name in ("before", "during", "after")]
    counts = [re.fullmatch(r"(\d+) users, (\d+) files", table.pop(0)) for table in tables]
    (people, files), *later = [tuple(map(int, count.groups())) for count in counts if count]
    assert later == [(people + 1, files + 1), (people, files)]
    before, during, after = (set(table) for table in tables)
    assert during - before == {line for line in during if "newcomer" in line}
    assert len(during - before) == 1
    assert after == before


def test_the_nearest_holder_is_measured_and_chosen(lab: LabUnderTest) -> None:
    result = lab.run("nearest")
    assert result.passed, result.failed_step
    words = ("way.txt", "--directory", "directory", "--out", "/tmp", "--json")
    for how in ("tcp", "icmp"):
        nearest = lab.exec("x", "peer", "get", *words, "--choose", "nearest", "--ping", how)
        assert nearest.code == 0, nearest.stderr
        told = json.loads(nearest.stdout)
        away = {holder["nick"]: holder["round_trip"] for holder in told["holders"]}
        # The way to `far` takes 50 ms there and 50 ms back.
        assert away["far"] >= 0.1
        assert told["chosen"]["nick"] == min(away, key=lambda nick: away[nick])
    at_random = lab.exec("x", "peer", "get", *words)
    assert json.loads(at_random.stdout)["chosen"]["nick"] in away


def test_nobody_can_connect_to_a_peer_behind_nat(lab: LabUnderTest) -> None:
    """Also not where a program listens; so one that does not know it is behind NAT pushes too."""
    start = (
        "mkdir -p /tmp/shut && seq 1 54321 > /tmp/shut/shut.txt && "
        "peer run shut --directory directory --share /tmp/shut >/tmp/shut.log 2>&1 & echo $!"
    )
    pid = lab.exec("nat", "sh", "-c", start).stdout.decode().strip()
    eventually(lambda: "shut" in holders(lab, "shut.txt"), "the peer shares its file")
    assert holders(lab, "shut.txt") == {"shut": (lab.address("nat"), 6699)}
    words = ("shut.txt", "--directory", "directory", "--out", "/tmp")
    shut = lab.exec("x", "peer", "get", *words, "--behind-nat", "--patience", "3")
    assert shut.code == 1
    assert b"neither can connect to the other" in shut.stderr
    done = lab.exec("x", "peer", "get", *words, "--patience", "5")
    assert done.code == 0, done.stderr
    assert b"shut has connected" in done.stdout
    swarm = lab.exec("x", "peer", "get", *words, "--swarm", "--json")
    assert swarm.code == 0, swarm.stderr
    assert list(json.loads(swarm.stdout)["received"]) == ["shut"]
    assert lab.exec("nat", "kill", pid).code == 0


def test_a_peer_behind_nat_gives_to_a_swarm(lab: LabUnderTest) -> None:
    """It calls x and b, which give each other what they have of it."""
    made = lab.exec("nat", "sh", "-c", "cd /srv/files && seq 1 400000 > .new && mv .new pieces.txt")
    assert made.code == 0, made.stderr
    eventually(lambda: "nat" in holders(lab, "pieces.txt"), "the peer shares its file")
    words = ("peer", "get", "pieces.txt", "--directory", "directory", "--swarm", "--json")
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda host: lab.exec(host, *words, "--out", "/tmp"), "xb"))
    assert [each.code for each in done] == [0, 0], [each.stderr for each in done]
    told = [json.loads(each.stdout) for each in done]
    assert told[0]["sha256"] == told[1]["sha256"]
    assert sum(each["received"].get("nat", 0) for each in told) >= told[0]["bytes"]


def given_away(lab: LabUnderTest, holder: str, port: int, name: str) -> bytes:
    """What a peer answers on its data port to one who asks for a file by that name."""
    ask = (
        "import socket, sys\n"
        "peer = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)\n"
        "assert peer.recv(1) == b'1'\n"
        "peer.sendall(b'GET')\n"
        "peer.sendall(f'thief \"{sys.argv[3]}\" 0'.encode())\n"
        "peer.shutdown(socket.SHUT_WR)\n"
        "answer = b''\n"
        "while piece := peer.recv(4096): answer += piece\n"
        "sys.stdout.buffer.write(answer)\n"
    )
    done = lab.exec("x", "python3", "-c", ask, lab.address(holder), str(port), name)
    assert done.code == 0, done.stderr
    return done.stdout


def assert_refused(answer: bytes) -> None:
    assert answer in (b"FILE NOT SHARED", b"INVALID REQUEST"), f"it gives away {answer[:40]!r}"


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "link"])
def test_a_peer_gives_nothing_away_but_its_folder(lab: LabUnderTest, name: str) -> None:
    lab.exec("a", "ln", "-sf", "/etc/passwd", "/srv/files/link")
    assert_refused(given_away(lab, "a", 6699, name))


@contextmanager
def sharing(lab: LabUnderTest, host: str, program: str, nick: str, *words: str) -> Iterator[None]:
    """Run a program in the place of `peer run` within the block, until it is registered."""
    argv = f"{program} run {nick} --directory directory {' '.join(words)}"
    start = f"mkdir -p /tmp/{nick} && {argv} >/tmp/{nick}.log 2>&1 & echo $!"
    pid = lab.exec(host, "sh", "-c", start).stdout.decode().strip()
    try:
        eventually(lambda: nick in users(lab), f"{nick} is registered")
        yield
    finally:
        lab.exec(host, "kill", pid)


def test_a_peer_that_gives_away_everything_is_found_out(lab: LabUnderTest) -> None:
    words = ("--share", "/tmp/open", "--port", "6710")
    with (
        sharing(lab, "b", "/opt/broken/open_peer.py", "open", *words),
        pytest.raises(AssertionError, match=r"it gives away .*root:"),
    ):
        assert_refused(given_away(lab, "b", 6710, "/etc/passwd"))


def names_while_it_comes(lab: LabUnderTest, program: str) -> set[str]:
    """The names that are in the folder of one who downloads, while the file is on its way."""
    script = (
        "rm -rf /tmp/early; mkdir /tmp/early; "
        f"{program} get steady.txt --directory directory --out /tmp/early >/dev/null 2>&1 & "
        'until test -n "$(find /tmp/early -type f -size +0)"; do sleep 0.05; done; '
        "ls -A /tmp/early; kill $!; wait $!"
    )
    return set(lab.exec("x", "sh", "-c", script).stdout.decode().split())


def assert_only_hidden(names: set[str]) -> None:
    assert names, "nothing has come"
    partial = {name for name in names if not name.startswith(".")}
    assert not partial, f"half a file has its name already: {partial}"


def test_a_partial_file_never_has_its_name(lab: LabUnderTest) -> None:
    lab.exec("a", "sh", "-c", "mkdir -p /tmp/steady && seq 1 3000000 > /tmp/steady/steady.txt")
    words = ("--share", "/tmp/steady", "--port", "6711", "--rate", "500")
    with sharing(lab, "a", "peer", "steady", *words):
        eventually(lambda: "steady" in holders(lab, "steady.txt"), "the file is shared")
        assert_only_hidden(names_while_it_comes(lab, "peer"))
        with pytest.raises(AssertionError, match="half a file has its name already"):
            assert_only_hidden(names_while_it_comes(lab, "/opt/broken/early_peer.py"))


def test_a_peer_that_lies_is_dropped_and_the_file_arrives_from_another(
    lab: LabUnderTest, host: Host
) -> None:
    lab.exec("c", "sh", "-c", "mkdir -p /tmp/liar && seq 1 77777 > /tmp/liar/truth.txt")
    lab.exec("a", "sh", "-c", "seq 1 77777 > /srv/files/truth.txt")
    eventually(lambda: "a" in holders(lab, "truth.txt"), "the honest peer shares it")
    words = ("--share", "/tmp/liar", "--port", "6712")
    with sharing(lab, "c", "/opt/broken/lying_peer.py", "liar", *words):
        eventually(lambda: "liar" in holders(lab, "truth.txt"), "the liar claims to have it")
        get = ("peer", "get", "truth.txt", "--directory", "directory", "--out", "/tmp")
        alone = lab.exec("x", *get, "--from", "liar")
        assert alone.code == 1
        assert b"wrong bytes: the directory knows MD5" in alone.stderr
        assert not host("x").file("/tmp/truth.txt").exists
        done = lab.exec("x", *get, "--json")
        assert done.code == 0, done.stderr
        assert json.loads(done.stdout)["chosen"]["nick"] == "a"
        sent = host("a").file("/srv/files/truth.txt").sha256sum
        assert host("x").file("/tmp/truth.txt").sha256sum == sent
