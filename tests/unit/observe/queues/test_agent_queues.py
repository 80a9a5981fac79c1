"""The agent's part on this machine's kernel: what it writes down of queues is what is in them."""

from __future__ import annotations

import importlib
import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from labctl.observe.queues import reading
from labctl.observe.queues.flows import flows
from labctl.observe.queues.model import Flow, Sampled, SocketQueues

AGENT = Path(__file__).parents[4] / "images/observer/agent"
PATIENCE = 10.0


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Import a module of the agent, as the agent does, by its name alone."""
    monkeypatch.syspath_prepend(str(AGENT))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(AGENT) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection over loopback: the client's socket, and the server's."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = stack.enter_context(socket.create_connection(listener.getsockname()))
        server, _ = listener.accept()
        stack.enter_context(server)
        yield client, server


def looked(queues: Any, content: bytes = b"") -> bytes:
    """Return what was written down so far, with one look more."""
    return content + b"".join(queues.look())


def of(content: bytes, name: tuple[str, int]) -> SocketQueues:
    """Return what was written down of one socket of ours, by its own address."""
    (found,) = [one for one in reading.read("here", content) if one.local == name]
    return found


def arrived(one: socket.socket, count: int) -> None:
    """Return when so many bytes are in a socket's receive queue: a send does not wait for that."""
    assert len(one.recv(count, socket.MSG_PEEK | socket.MSG_WAITALL)) == count


def test_both_queues_of_a_connection(
    agent: Callable[[str], Any], pair: tuple[socket.socket, socket.socket]
) -> None:
    client, server = pair
    names = client.getsockname(), server.getsockname()
    queues = agent("queues").Queues()
    content = looked(queues)
    client.sendall(b"x" * 5000)
    arrived(server, 5000)
    content = looked(queues, content)
    assert server.recv(5000, socket.MSG_WAITALL) == b"x" * 5000
    content = looked(queues, content)
    client.close()
    server.close()
    deadline = time.monotonic() + PATIENCE
    content = looked(queues, content)
    while of(content, names[0]).gone is None:
        assert time.monotonic() < deadline
        content = looked(queues, content)

    reader = next(one for one in reading.read("here", content) if one.remote == names[0])
    assert [level.receive_queue for level in reader.levels][:3] == [0, 5000, 0]
    assert reader.levels[0].receive_buffer is not None
    times = [level.time for level in reader.levels]
    assert times == sorted(times)
    assert of(content, names[0]).gone is not None


def test_what_does_not_change_is_written_once(
    agent: Callable[[str], Any], pair: tuple[socket.socket, socket.socket]
) -> None:
    client, server = pair
    queues = agent("queues").Queues()
    content = looked(queues)
    for _ in range(5):
        content = looked(queues, content)
    assert len(of(content, client.getsockname()).levels) == 1
    server.sendall(b"ab")
    arrived(client, 2)
    content = looked(queues, content)
    assert of(content, client.getsockname()).levels[-1].receive_queue == 2


def test_a_connection_that_takes_another_s_place_is_seen(agent: Callable[[str], Any]) -> None:
    queues = agent("queues").Queues()
    content = looked(queues)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ports = []
        for _ in range(3):
            with socket.create_connection(listener.getsockname()) as client:
                ports.append(client.getsockname())
                content = looked(queues, content)
                content = looked(queues, content)
    seen = [one.local for one in reading.read("here", content)]
    assert all(port in seen for port in ports)


def test_datagrams_that_find_no_room_are_counted(agent: Callable[[str], Any]) -> None:
    queues = agent("queues").Queues()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 5000)
        receiver.bind(("127.0.0.1", 0))
        content = looked(queues)
        for _ in range(50):
            sender.sendto(b"x" * 1000, receiver.getsockname())
        content = looked(queues, content)
        receiver.setblocking(False)
        received = 0
        deadline = time.monotonic() + PATIENCE
        while True:  # on a busy machine the last ones come after they were sent
            with pytest.raises(BlockingIOError):
                while receiver.recv(1000):
                    received += 1
            content = looked(queues, content)
            found = of(content, receiver.getsockname())
            flow = Flow("udp", None, found)
            if flow.dropped + received >= 50:
                break
            assert time.monotonic() < deadline
    assert received > 0
    assert flow.dropped + received == 50
    assert found.levels[-1].receive_queue == 0
    assert not flow.quiet


def test_the_agent_looks_until_it_is_told_to_end(
    agent: Callable[[str], Any],
    pair: tuple[socket.socket, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    client, server = pair
    module = agent("queues_agent")
    monkeypatch.setattr(module, "OUT", tmp_path)
    monkeypatch.setattr(agent("serving"), "OUT", tmp_path)
    it = module.QueuesAgent()
    it.begin(interval=0.001, max_bytes=1 << 24)
    client.sendall(b"x" * 700)
    arrived(server, 700)
    before = it._looks
    deadline = time.monotonic() + PATIENCE
    while it._looks < before + 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    told = json.loads(json.dumps(it.end()))
    looks = reading.looks("here", told)
    assert looks.count > 1
    assert looks.begun <= looks.ended
    assert looks.longest > 0
    assert looks.wrong == ""
    sockets = reading.read("here", (tmp_path / told["file"]).read_bytes())
    ours = {client.getsockname(), server.getsockname()}
    own = tuple(one for one in sockets if one.local in ours)
    (busy,) = [one for one in flows(Sampled(0.001, (looks,), own)) if not one.quiet]
    assert (busy.highest_send, busy.highest_receive) in {(0, 700), (700, 700)}


def test_a_file_that_grows_too_large_ends_it_and_it_says_so(
    agent: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = agent("queues_agent")
    monkeypatch.setattr(module, "OUT", tmp_path)
    monkeypatch.setattr(agent("serving"), "OUT", tmp_path)
    it = module.QueuesAgent()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        clients = [socket.create_connection(listener.getsockname()) for _ in range(3)]
        it.begin(interval=0.001, max_bytes=10)
        deadline = time.monotonic() + PATIENCE
        while not it._wrong:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        for client in clients:
            client.close()
    assert it.end()["wrong"] == "it came to 10 bytes"


def test_without_a_beginning_there_is_no_end(
    agent: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = agent("queues_agent")
    monkeypatch.setattr(module, "OUT", tmp_path)
    monkeypatch.setattr(agent("serving"), "OUT", tmp_path)
    with pytest.raises(agent("failure").Failure, match="nothing was begun"):
        module.QueuesAgent().end()
