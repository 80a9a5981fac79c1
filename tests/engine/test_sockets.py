"""`labctl sockets`: the kernel's structures after each call, as a program makes them."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from labctl.engine import down, live
from labctl.engine.client import Engine
from labctl.engine.live import LiveLab
from labctl.engine.up import Reporter, Wishes, up
from labctl.lab.load import load
from labctl.observe.sockets.changes import changes
from labctl.observe.sockets.model import EMPTY, KernelSocket, Snapshot, SocketAddress
from labctl.play.sockets import Looker, looking

from .conftest import HEAD, command, labctl, things

PATIENCE = 20.0
SERVICES = """
  server: {<<: *host, command: [sleep, infinity]}
  client: {<<: *host, command: [sleep, infinity]}
"""
PUPPET = """
import os, socket, sys, time
for line in sys.stdin:
    exec(line)
    print(os.getpid(), flush=True)
"""


class Puppet:
    """A Python program on a host that does as it is told, line by line."""

    def __init__(self, engine: Engine, container: str) -> None:
        argv = ["docker", "exec", "-i", container, "python3", "-uc", PUPPET]
        self._child = subprocess.Popen(
            argv, env=engine.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self.do("pass")

    def do(self, line: str) -> int:
        """Have it run a line; return the process's number when it has."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(line + "\n")
        self._child.stdin.flush()
        return int(self._child.stdout.readline())

    def close(self) -> None:
        """End it, by the end of its input."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait(PATIENCE)


@pytest.fixture(scope="module")
def lab(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveLab]:
    folder = tmp_path_factory.mktemp("sockets")
    file = folder / "compose.yaml"
    file.write_text(HEAD.format(lab="sockets") + SERVICES)
    name = f"t{secrets.token_hex(4)}"
    try:
        yield up(engine, load(file), Wishes(name), Reporter())
    finally:
        down.down(engine, name)


@pytest.fixture(scope="module")
def looker(engine: Engine, lab: LiveLab) -> Iterator[Looker]:
    with looking(engine, lab.host("server")) as looker:
        yield looker


@pytest.fixture
def server(engine: Engine, lab: LiveLab) -> Iterator[Puppet]:
    with closing(Puppet(engine, lab.host("server").container)) as puppet:
        yield puppet


@pytest.fixture
def client(engine: Engine, lab: LiveLab) -> Iterator[Puppet]:
    with closing(Puppet(engine, lab.host("client").container)) as puppet:
        yield puppet


def held(snapshot: Snapshot, pid: int) -> list[KernelSocket]:
    """Return the sockets behind the descriptors of a process, in the order of these."""
    (process,) = [one for one in snapshot.processes if one.pid == pid]
    numbers = [one.inode for one in process.descriptors if one.kind == "socket"]
    return [snapshot.held[inode] for inode in numbers if inode is not None]


def until(looker: Looker, holds: Callable[[Snapshot], object]) -> Snapshot:
    """Return the first look at which it holds; fail when there is none for too long."""
    deadline = time.monotonic() + PATIENCE
    while not holds(snapshot := looker.look()):
        assert time.monotonic() < deadline, f"it did not come to that: {snapshot}"
        time.sleep(0.02)
    return snapshot


def listening(server: Puppet, port: int) -> None:
    server.do("s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)")
    server.do(f"s.bind(('', {port})); s.listen(3)")


def connected(client: Puppet, lab: LiveLab, port: int) -> None:
    client.do(f"c = socket.create_connection(('{lab.host('server').addresses['lan']}', {port}))")


def test_each_call_fills_in_what_it_is_for(
    lab: LiveLab, looker: Looker, server: Puppet, client: Puppet
) -> None:
    assert held(looker.look(), server.pid) == []

    server.do("s = socket.socket()")
    (new,) = held(looker.look(), server.pid)
    assert (new.family, new.type, new.protocol) == ("AF_INET", "SOCK_STREAM", "tcp")
    assert (new.state, new.local, new.remote) == ("CLOSED", EMPTY, EMPTY)

    server.do("s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('', 8001))")
    (bound,) = held(looker.look(), server.pid)
    assert (bound.state, bound.remote) == ("CLOSED", EMPTY)
    assert bound.local == SocketAddress("0.0.0.0", 8001)
    assert bound.options == ("SO_REUSEADDR",)

    server.do("s.listen(3)")
    (listener,) = held(looker.look(), server.pid)
    assert (listener.state, listener.accept_queue, listener.backlog) == ("LISTEN", 0, 3)

    connected(client, lab, 8001)
    # connect has returned before the server's kernel has the last ACK.
    waiting = until(looker, lambda now: held(now, server.pid)[0].accept_queue == 1)
    (early,) = [one for one in waiting.unheld if one.local.port == 8001]
    assert early.awaits_accept

    server.do("a, _ = s.accept()")
    after_accept, accepted = held(looker.look(), server.pid)
    assert after_accept.accept_queue == 0
    assert accepted.state == "ESTABLISHED"
    addresses = {name: lab.host(name).addresses["lan"] for name in ("server", "client")}
    assert accepted.local == SocketAddress(addresses["server"], 8001)
    assert accepted.remote.address == addresses["client"]
    assert accepted.receive_queue == 0

    client.do("c.send(b'hello')")
    unread = until(looker, lambda now: held(now, server.pid)[1].receive_queue == 5)
    server.do("a.recv(5)")
    read = looker.look()
    assert held(read, server.pid)[1].receive_queue == 0
    assert [one.field for one in changes(unread, read)] == ["receive_queue"]

    assert new.key == bound.key == listener.key == after_accept.key
    assert early.key == accepted.key == held(read, server.pid)[1].key


def test_after_fork_two_processes_share_one_structure(looker: Looker, server: Puppet) -> None:
    listening(server, 8002)
    server.do("child = os.fork() or time.sleep(1000)")
    snapshot = looker.look()
    (listener,) = held(snapshot, server.pid)
    (child,) = [one for one in snapshot.processes if one.parent == server.pid]
    assert held(snapshot, child.pid) == [listener]
    assert [pid for pid, _ in snapshot.holders[listener.inode]] == [server.pid, child.pid]
    server.do("os.kill(child, 9)")
    zombie = until(looker, lambda now: {p.pid: p.state for p in now.processes}[child.pid] == "Z")
    assert [pid for pid, _ in zombie.holders[listener.inode]] == [server.pid]
    server.do("os.wait()")
    assert child.pid not in {one.pid for one in looker.look().processes}


def test_after_close_the_connection_belongs_to_nobody(
    lab: LiveLab, looker: Looker, server: Puppet, client: Puppet
) -> None:
    listening(server, 8003)
    connected(client, lab, 8003)
    server.do("a, _ = s.accept()")
    accepted = held(looker.look(), server.pid)[1]
    server.do("a.close()")
    client.do("c.close()")

    def gone(now: Snapshot) -> list[KernelSocket]:
        return [one for one in now.unheld if one.key == accepted.key]

    after = until(looker, lambda now: [one.state for one in gone(now)] == ["TIME-WAIT"])
    assert len(held(after, server.pid)) == 1
    (time_wait,) = gone(after)
    assert (time_wait.local, time_wait.remote) == (accepted.local, accepted.remote)
    assert time_wait.timer is not None
    assert 0 < time_wait.timer.ms <= 60_000


def test_a_datagram_waits_until_it_is_read(
    lab: LiveLab, looker: Looker, server: Puppet, client: Puppet
) -> None:
    server.do("s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)")
    (new,) = held(looker.look(), server.pid)
    assert (new.type, new.local) == ("SOCK_DGRAM", EMPTY)
    server.do("s.bind(('', 8004)); s.setblocking(False)")
    address = lab.host("server").addresses["lan"]
    client.do("c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)")
    client.do(f"c.sendto(b'hello', ('{address}', 8004))")
    snapshot = until(looker, lambda now: held(now, server.pid)[0].receive_queue)
    (bound,) = held(snapshot, server.pid)
    assert (bound.state, bound.remote) == ("UNCONNECTED", EMPTY)
    assert bound.local == SocketAddress("0.0.0.0", 8004)
    (process,) = [one for one in snapshot.processes if one.pid == server.pid]
    (entry,) = [one for one in process.descriptors if one.kind == "socket"]
    assert (entry.nonblocking, entry.close_on_exec) == (True, True)


def test_the_command_draws_the_figure(lab: LiveLab, server: Puppet) -> None:
    server.do("s = socket.socket()")
    ran = labctl("sockets", f"{lab.name}/server", "--process", str(server.pid))
    assert ran.code == 0, ran.err
    assert f"┌ process {server.pid}: python3 " in ran.out
    assert ran.out.count("▶") == 1
    for line in ("local address   —", "local port      —", "remote port     —", "CLOSED"):
        assert line in ran.out
    told = labctl("sockets", f"{lab.name}/server", "-p", str(server.pid), "--json").json
    assert told["sockets"][0]["local"] == {"address": None, "port": None}
    assert told["sockets"][0]["held_by"][0]["pid"] == server.pid


def test_tree_draws_m_above_its_subordinates(
    lab: LiveLab, looker: Looker, server: Puppet, client: Puppet
) -> None:
    listening(server, 8005)
    connected(client, lab, 8005)
    server.do("a, _ = s.accept(); child = os.fork() or (s.close(), time.sleep(1000))")
    server.do("a.close()")
    (child,) = [one for one in looker.look().processes if one.parent == server.pid]
    until(looker, lambda now: len(held(now, child.pid)) == 1)
    ran = labctl("tree", f"{lab.name}/server", "-p", str(server.pid))
    assert ran.code == 0, ran.err
    assert ran.out.startswith(f"┌ M  process {server.pid}: python3 ")
    assert f"S1  process {child.pid}: python3 " in ran.out
    assert f"◀─▶ client {lab.host('client').addresses['lan']}:" in ran.out
    told = labctl("tree", f"{lab.name}/server", "-p", str(server.pid), "--json").json
    (top,) = told["processes"]
    assert [one["state"] for one in top["sockets"]] == ["LISTEN"]
    assert [one["client"] for one in top["children"][0]["sockets"]] == ["client"]
    assert labctl("tree", f"{lab.name}/server", "-p", "none-such").code == 2
    assert labctl("tree", f"{lab.name}/server", "--timeout", "1").code == 2
    watched = labctl("tree", f"{lab.name}/server", "--watch", "--timeout", "0.5", "--json")
    assert json.loads(watched.out.splitlines()[0])["host"] == "server"
    server.do("os.kill(child, 9); os.wait()")


def test_the_engines_own_sockets_and_init_are_shown_on_demand_only(lab: LiveLab) -> None:
    told = labctl("sockets", f"{lab.name}/client").out
    assert told.startswith("no process of host client has a socket; --all shows them all\n")
    assert "127.0.0.11" not in told
    everything = labctl("sockets", f"{lab.name}/client", "--all").out
    assert "process 1: docker-init" in everything
    assert "127.0.0.11" in everything


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("servr",), "Did you mean server?"),
        (("server", "--process", "docker-int"), "Did you mean `docker-init`?"),
        (("server", "--timeout", "3"), "--timeout is the end of --watch"),
    ],
)
def test_what_is_not_there_is_a_wrong_usage(
    lab: LiveLab, words: tuple[str, ...], said: str
) -> None:
    ran = labctl("sockets", f"{lab.name}/{words[0]}", *words[1:])
    assert ran.code == 2
    assert said in ran.err
    assert len(ran.err.splitlines()) == 2


def test_watching_prints_a_line_for_each_change(lab: LiveLab, server: Puppet) -> None:
    watch = ["sockets", f"{lab.name}/server", "-p", str(server.pid), "-w", "--interval", "0.05"]
    with subprocess.Popen(command(*watch, "--json"), stdout=subprocess.PIPE) as watching:
        assert watching.stdout is not None
        try:
            first = json.loads(watching.stdout.readline())
            assert first["sockets"] == []
            server.do("s = socket.socket()")
            (new,) = json.loads(watching.stdout.readline())["sockets"]
            assert new["local"]["port"] is None
            server.do("s.bind(('', 8006))")
            (bound,) = json.loads(watching.stdout.readline())["sockets"]
            assert (bound["key"], bound["local"]["port"]) == (new["key"], 8006)
        finally:
            watching.send_signal(2)
        assert watching.wait(PATIENCE) == 0


def test_watching_ends_in_time_and_marks_nothing_that_stayed(lab: LiveLab) -> None:
    ran = labctl("sockets", f"{lab.name}/server", "--watch", "--all", "--timeout", "1.5")
    assert ran.code == 0, ran.err
    assert ran.out.count("host server at ") == 1


def test_watching_ends_with_the_host_and_nothing_is_left(
    engine: Engine, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(HEAD.format(lab="ends") + "  a: {<<: *host, command: [sleep, infinity]}\n")
    host = up(engine, load(file), Wishes(name), Reporter()).host("a")
    words = ("sockets", f"{name}/a", "--watch", "--all")
    with subprocess.Popen(
        command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        assert watching.stdout.readline().startswith("host a at ")
        engine.sdk.api.kill(host.container, "SIGKILL")
        _, said = watching.communicate(timeout=PATIENCE)
        assert watching.returncode == 0, said
    assert f"host a of lab {name} ended" in said
    assert [one for one in things(engine, name) if ".observer-" in one] == []
    ran = labctl("sockets", f"{name}/a")
    assert ran.code == 3
    assert "is not running" in ran.err
    assert not live.find(engine, name).host("a").running
