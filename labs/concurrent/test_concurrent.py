"""The lab concurrent: M and a subordinate for each live connection, and the other ways.

Every kind of server has to pass the same examination; broken ones are found out by it.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from labctl.engine.client import Engine
from labctl.engine.inside import Done
from labctl.observe.sockets.model import KernelSocket, Process, Snapshot
from labctl.observe.sockets.tree import Branch, grown
from labctl.play.seen import SeenTimeline
from labctl.play.sockets import Looker, looking
from labctl.play.under_test import LabUnderTest
from labctl.sequence.verbs import verb

PATIENCE = 60.0
"""In seconds; only what goes wrong needs it, and a machine with much else to do."""
SHORT = 5.0
"""What a server that is known to be wrong is given."""
PORTS = iter(range(9000, 10000))
CLIENTS = ("c1", "c2", "c3")
WAYS = ("figure", "fork", "handoff", "prefork", "thread", "event", "asyncio", "iterative")
"""The lab's scenarios."""
SERVERS = {
    "fork_server": (),
    "handoff_server": ("--workers", "4"),
    "prefork_server": ("--workers", "210"),
    "thread_server": (),
    "event_server": (),
    "asyncio_server": (),
}
FEW = {
    "fork_server": (),
    "handoff_server": ("--workers", "1"),
    "prefork_server": ("--workers", "4"),
}
"""Those with subordinates, and how they are told to begin with few."""
BROKEN = {
    "keeps_connection": ["M still has 4 connections of clients that are gone, in CLOSE-WAIT"],
    "leaves_zombies": ["4 zombies"],
    "waits_for_subordinate": ["a client waits for another one to go"],
}


@pytest.fixture(scope="module")
def looker(engine: Engine, lab: LabUnderTest) -> Iterator[Looker]:
    with looking(engine, lab.host("server")) as looker:
        yield looker


def until(holds: Callable[[], object], patience: float = PATIENCE) -> bool:
    """Wait until it holds; return whether it does."""
    deadline = time.monotonic() + patience
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def serving(lab: LabUnderTest, *command: str, options: tuple[str, ...] = ()) -> Iterator[int]:
    """Have a server run on a port of its own within the block; gives the port."""
    port = next(PORTS)
    if command[-1] == "--port":
        options = (*options, "--timeout", "600")
    begun = background(lab, "server", *command, str(port), *options)
    try:
        assert until(lambda: lab.exec("server", "listening", str(port)).code == 0)
        yield port
    finally:
        lab.exec("server", "kill", "-TERM", begun)
        gone = ("sh", "-c", f"! kill -0 {begun}")
        assert until(lambda: lab.exec("server", *gone).code == 0), f"{command} did not end"


def background(lab: LabUnderTest, host: str, *command: str) -> str:
    """Start a program on a host; return its process number."""
    shell = '"$@" > /tmp/said.$$ 2>&1 & echo $!'
    return lab.exec(host, "sh", "-c", shell, "sh", *command).stdout.decode().strip()


@contextmanager
def staying(lab: LabUnderTest, host: str, port: int, count: int = 1) -> Iterator[str]:
    """Have clients that got their echo and stay within the block; gives their process number."""
    end = f"/tmp/end.{secrets.token_hex(4)}"
    options = ("--port", str(port), "--clients", str(count), "--until", end)
    shell = 'echo_client server "$@" > $0 2>&1 & echo $!'
    said = f"/tmp/said.{secrets.token_hex(4)}"
    begun = lab.exec(host, "sh", "-c", shell, said, *options).stdout.decode().strip()
    try:
        there = ("grep", "-q", "all clients are there", said)
        assert until(lambda: lab.exec(host, *there).code == 0)
        yield begun
    finally:
        lab.exec(host, "touch", end)
        gone = ("sh", "-c", f"! kill -0 {begun}")
        assert until(lambda: lab.exec(host, *gone).code == 0)


def asked(lab: LabUnderTest, host: str, port: int, *options: str) -> int:
    """Have a client ask; return its exit code."""
    return lab.exec(host, "echo_client", "server", "--port", str(port), *options).code


def main_process(snapshot: Snapshot, port: int) -> Branch:
    """The process that listens on the port, and those it has forked."""
    (found,) = [
        branch
        for branch in grown(snapshot)
        if any(one.local.port == port for one in held(snapshot, branch.process))
    ]
    return found


def held(snapshot: Snapshot, process: Process) -> list[KernelSocket]:
    """The Internet sockets that a process has."""
    sockets = (snapshot.held.get(entry.inode or 0) for entry in process.descriptors)
    return [one for one in sockets if one is not None and one.family == "AF_INET"]


def connections(snapshot: Snapshot, port: int) -> list[KernelSocket]:
    """Those that the processes of a server have, a shared one once for each."""
    top = main_process(snapshot, port)
    every = [one for part in (top, *top.children) for one in held(snapshot, part.process)]
    return [one for one in every if one.state != "LISTEN"]


def dead(looker: Looker, port: int) -> list[Branch]:
    """Subordinates that have ended, and that M has not waited for."""
    return [one for one in main_process(looker.look(), port).children if one.is_zombie]


def has_subordinates(looker: Looker, port: int, count: int) -> bool:
    return len(main_process(looker.look(), port).children) == count


def only_listens(snapshot: Snapshot, port: int) -> bool:
    """Whether M has closed its own descriptors of the connections."""
    main = main_process(snapshot, port).process
    return [one.state for one in held(snapshot, main)] == ["LISTEN"]


def examine(lab: LabUnderTest, looker: Looker, port: int, patience: float = PATIENCE) -> list[str]:
    """What is wrong with a server that should serve any number of clients at once."""
    wrong = []
    with staying(lab, "c1", port):
        if asked(lab, "c2", port, "--timeout", f"{patience:g}") != 0:
            wrong.append("a client waits for another one to go")
    with staying(lab, "c3", port) as killed:
        lab.exec("c3", "kill", "-KILL", killed)
    if asked(lab, "c2", port) != 0:
        wrong.append("no client is served any more")
    if not until(lambda: not connections(looker.look(), port), patience):
        left = connections(looker.look(), port)
        states = ", ".join({one.state for one in left})
        wrong.append(f"M still has {len(left)} connections of clients that are gone, in {states}")
    if not until(lambda: not dead(looker, port), patience):
        wrong.append(f"{len(dead(looker, port))} zombies")
    return wrong


@pytest.mark.parametrize("server", SERVERS)
def test_every_kind_passes_the_examination(lab: LabUnderTest, looker: Looker, server: str) -> None:
    with serving(lab, server, "--port", options=SERVERS[server]) as port:
        assert examine(lab, looker, port) == []


@pytest.mark.parametrize("server", BROKEN)
def test_broken_servers_are_found_out(lab: LabUnderTest, looker: Looker, server: str) -> None:
    with serving(lab, "python3", f"/opt/broken/{server}.py") as port:
        assert examine(lab, looker, port, SHORT) == BROKEN[server]


def test_the_iterative_server_is_not_concurrent(lab: LabUnderTest, looker: Looker) -> None:
    with serving(lab, "iterative_server", "--port") as port:
        assert examine(lab, looker, port, SHORT) == ["a client waits for another one to go"]


@pytest.mark.parametrize("server", ["fork_server", "handoff_server"])
def test_there_is_one_subordinate_for_each_live_connection(
    lab: LabUnderTest, looker: Looker, server: str
) -> None:
    with serving(lab, server, "--port", options=FEW[server]) as port:
        for count in (1, 2):
            with (
                staying(lab, "c1", port, count),
                staying(lab, "c2", port, count),
                staying(lab, "c3", port),
            ):
                # A subordinate may answer before M has closed what it handed on.
                assert until(lambda: only_listens(looker.look(), port))
                top = main_process(snapshot := looker.look(), port)
                assert top.role == "M"
                assert [one.state for one in held(snapshot, top.process)] == ["LISTEN"]
                assert {one.role for one in top.children} == {
                    f"S{n}" for n in range(1, 2 * count + 2)
                }
                each = [held(snapshot, one.process) for one in top.children]
                assert [[one.state for one in own] for own in each] == [["ESTABLISHED"]] * len(each)
                wanted = sorted([*CLIENTS, *CLIENTS[:2]][: 2 * count + 1])
                names = {lab.address(name): name for name in CLIENTS}
                assert sorted(names[own[0].remote.address or ""] for own in each) == wanted
            assert until(lambda: not connections(looker.look(), port))
            # Of those forked beforehand all are ready for the next client; the others have ended.
            left = 2 * count + 1 if server == "handoff_server" else 0
            assert until(partial(has_subordinates, looker, port, left))


@pytest.mark.parametrize("server", [*SERVERS, "iterative_server"])
def test_a_thousand_one_after_another(lab: LabUnderTest, looker: Looker, server: str) -> None:
    with serving(lab, server, "--port", options=SERVERS.get(server, ())) as port:
        before = main_process(looker.look(), port).process.descriptors
        assert asked(lab, "c1", port, "--count", "1000") == 0
        assert until(lambda: not connections(looker.look(), port))
        assert until(lambda: not dead(looker, port))
        if server != "handoff_server":  # its table has a way to each subordinate
            assert main_process(looker.look(), port).process.descriptors == before


@pytest.mark.parametrize("server", SERVERS)
def test_two_hundred_at_once(lab: LabUnderTest, looker: Looker, server: str) -> None:
    with serving(lab, server, "--port", options=SERVERS[server]) as port:
        with staying(lab, "c2", port, 200):
            assert until(lambda: len(connections(looker.look(), port)) == 200)
            snapshot = looker.look()
            assert [one.state for one in connections(snapshot, port)] == ["ESTABLISHED"] * 200
            children = main_process(snapshot, port).children
            assert len(children) == {
                "fork_server": 200,
                "handoff_server": 200,
                "prefork_server": 210,
            }.get(server, 0)
        assert until(lambda: not connections(looker.look(), port))
        assert until(lambda: not dead(looker, port))
        if server == "fork_server":
            assert until(lambda: not main_process(looker.look(), port).children)


@pytest.mark.parametrize("server", FEW)
def test_a_subordinate_that_is_killed_leaves_nothing_behind(
    lab: LabUnderTest, looker: Looker, server: str
) -> None:
    with serving(lab, server, "--port", options=FEW[server]) as port:
        with staying(lab, "c1", port), staying(lab, "c2", port):
            snapshot = looker.look()
            (victim,) = [
                one.process.pid
                for one in main_process(snapshot, port).children
                if lab.address("c1") in {s.remote.address for s in held(snapshot, one.process)}
            ]
            lab.exec("server", "kill", "-KILL", str(victim))
            assert until(lambda: victim not in numbers(looker.look()))
            assert until(lambda: len(connections(looker.look(), port)) == 1)
            assert asked(lab, "c3", port) == 0
        assert examine(lab, looker, port) == []


def numbers(snapshot: Snapshot) -> set[int]:
    return {one.pid for one in snapshot.processes}


@pytest.mark.parametrize("server", FEW)
@pytest.mark.parametrize("signal", ["TERM", "KILL"])
def test_subordinates_end_with_m(
    lab: LabUnderTest, looker: Looker, server: str, signal: str
) -> None:
    with (
        serving(lab, server, "--port", options=FEW[server]) as port,
        staying(lab, "c1", port, 3),
    ):
        top = main_process(looker.look(), port)
        family = {top.process.pid, *(one.process.pid for one in top.children)}
        assert len(family) >= 4
        lab.exec("server", "kill", f"-{signal}", str(top.process.pid))
        assert until(lambda: not family & numbers(looker.look()))


def limited(lab: LabUnderTest, pid: int, most: str) -> Done:
    """Let a process of the server fork only where its user has fewer than so many processes."""
    script = f"""
import resource
_, hard = resource.prlimit({pid}, resource.RLIMIT_NPROC)
resource.prlimit({pid}, resource.RLIMIT_NPROC, ({most}, hard))
"""
    return lab.exec("server", "python3", "-c", script)


@pytest.mark.parametrize("server", ["fork_server", "handoff_server"])
def test_where_no_process_can_be_forked_the_client_is_refused_and_the_others_go_on(
    lab: LabUnderTest, looker: Looker, server: str
) -> None:
    with serving(lab, server, "--port", options=FEW[server]) as port, staying(lab, "c1", port):
        main = main_process(looker.look(), port).process.pid
        assert limited(lab, main, "1").code == 0
        assert asked(lab, "c2", port) == 1
        said = lab.exec("server", "sh", "-c", "cat /tmp/said.*").stdout.decode()
        assert f"Resource temporarily unavailable: {lab.address('c2')}:" in said
        assert until(lambda: len(connections(looker.look(), port)) == 1)
        assert limited(lab, main, "hard").code == 0
        assert asked(lab, "c2", port) == 0


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.scenario(name)) for name in WAYS],
)
def test_on_each_connection_the_calls_are_the_same(timeline: SeenTimeline, name: str) -> None:
    assert timeline.matches(timeline.declared)


@pytest.mark.scenario("figure")
def test_it_is_figure_6_29(timeline: SeenTimeline) -> None:
    subordinates = set()
    for connection in (one for one in timeline.connections if one.protocol == "tcp"):
        calls = connection.server.calls
        (accept,) = [call for call in calls if verb(call.name) == "accept" and not call.failed]
        (fork,) = [call for call in calls if verb(call.name) == "fork"]
        assert fork.pid == accept.pid
        served = {call.pid for call in calls if verb(call.name) in ("recv", "send")}
        assert served == {fork.result}
        subordinates |= served
    assert len(subordinates) == 3


@pytest.mark.scenario("iterative")
def test_the_second_client_is_accepted_when_the_first_has_gone(timeline: SeenTimeline) -> None:
    tcp = [one for one in timeline.connections if one.protocol == "tcp"]
    first, second = sorted(tcp, key=lambda one: one.client.host or "")
    place = {(id(one.event), one.kind): n for n, one in enumerate(timeline.moments)}
    (goes,) = [call for call in first.client.calls if verb(call.name) == "close"]
    answers = [call for call in second.server.calls if verb(call.name) == "send"]
    assert place[id(goes), "call"] < place[id(answers[0]), "call"]


def test_what_each_kind_costs_is_told(lab: LabUnderTest) -> None:
    told = lab.exec("server", "server_costs", "--idle", "10", "--count", "5", "--json")
    assert told.code == 0, told.stderr
    costs = {row["server"]: row for row in map(json.loads, told.stdout.splitlines())}
    assert set(costs) == {*SERVERS, "iterative_server"}
    for name, row in costs.items():
        each = 1 if name in ("fork_server", "handoff_server", "prefork_server") else 0
        assert row["rate"] > 0
        assert name == "iterative_server" or row["processes"] >= each
    assert costs["fork_server"]["processes"] == 1
    assert costs["event_server"]["memory"] < costs["fork_server"]["memory"]
