"""What must come before what in `connections()`, told from how it was made, not by labctl.

Each pair is two stamps: (the number of the event in its kind, which stamp), in the recording
before any stamp was changed. It is found by the connection's port alone, without any socket.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from labctl.sequence.events import Segment
from labctl.sequence.recording import Recording
from tests.unit.sequence.build import Story
from tests.unit.sequence.exchanges import CLIENT, SERVER, Dialogue, listening


class Stamp(NamedTuple):
    """`kind`: call, segment, process; `part`: call or return, sent or received, at."""

    kind: str
    number: int
    part: str


def connections(count: int) -> Recording:
    """One forking server, `count` clients, each a process that asks for its own address."""
    story = Story(client=CLIENT, server=SERVER)
    server = story.thread("server", 10)
    listening(server)
    for number in range(count):
        client = story.thread("client", 1000 + number)
        talk = Dialogue(client, server, 20000 + number)
        talk.connect()
        client.call("getsockname", 3, address=talk.ends["client"])
        talk.accept()
        talk.server = server.fork(50_000 + number)
        server.call("close", 4)
        talk.say("client", 10 + number % 7, 2)
        talk.say("server", 100, 3)
        talk.close("server")
        talk.server.exit()
        server.call("wait4", result=talk.server.pid)
        talk.end_of_data("client")
        talk.close("client")
        client.exit()
    return story.recording()


def pairs(made: Recording) -> Iterator[tuple[Stamp, Stamp]]:
    """Yield every pair of stamps of which the first must come before the second."""
    yield from _threads(made)
    by_port: dict[int, list[int]] = defaultdict(list)
    for number, segment in enumerate(made.segments):
        yield _sent(number), _received(number)
        by_port[_port(segment)].append(number)
    own: dict[int, list[int]] = defaultdict(list)
    for number, call in enumerate(made.calls):
        own[call.tid].append(number)
    accepts = {str(c.args["address"]): n for n, c in enumerate(made.calls) if c.name == "accept"}
    (listen,) = _named(made, own[10], "listen")
    for port, numbers in by_port.items():
        place = port - 20000
        client, child = own[1000 + place], own[50_000 + place]
        yield _entry(listen), _received(numbers[0])
        yield from _handshake(made, numbers, client, accepts[f"{CLIENT}:{port}"])
        yield from _data(made, numbers, client, child)


def _port(segment: Segment) -> int:
    return max(segment.source.port, segment.target.port)


def _sent(number: int) -> Stamp:
    return Stamp("segment", number, "sent")


def _received(number: int) -> Stamp:
    return Stamp("segment", number, "received")


def _entry(number: int) -> Stamp:
    return Stamp("call", number, "call")


def _return(number: int) -> Stamp:
    return Stamp("call", number, "return")


def _threads(made: Recording) -> Iterator[tuple[Stamp, Stamp]]:
    last: dict[int, int] = {}
    first: dict[int, int] = {}
    for number, call in enumerate(made.calls):
        yield _entry(number), _return(number)
        if call.tid in last:
            yield _return(last[call.tid]), _entry(number)
        last[call.tid] = number
        first.setdefault(call.tid, number)
    ends = {e.pid: n for n, e in enumerate(made.processes) if e.kind == "exit"}
    for pid, number in ends.items():
        yield _return(last[pid]), Stamp("process", number, "at")
    for number, call in enumerate(made.calls):
        if call.name == "clone" and call.result is not None:
            yield _entry(number), _entry(first[call.result])
        if call.name == "wait4" and call.result is not None:
            yield Stamp("process", ends[call.result], "at"), _return(number)


def _handshake(
    made: Recording, numbers: list[int], client: list[int], accept: int
) -> Iterator[tuple[Stamp, Stamp]]:
    syn, answer, ack = numbers[:3]
    (connect,) = _named(made, client, "connect")
    yield _entry(connect), _sent(syn)
    yield _received(syn), _sent(answer)
    yield _received(answer), _return(connect)
    yield _received(answer), _sent(ack)
    yield _received(ack), _return(accept)


def _data(
    made: Recording, numbers: list[int], client: list[int], child: list[int]
) -> Iterator[tuple[Stamp, Stamp]]:
    for sender, receiver, asks in ((client, child, True), (child, client, False)):
        mine = [n for n in numbers if (made.segments[n].target.port == 80) is asks]
        theirs = [n for n in numbers if n not in mine]
        (send,) = _named(made, sender, "sendto")
        (data,) = [n for n in mine if made.segments[n].length]
        yield _entry(send), _sent(data)
        end = (made.segments[data].seq or 0) + made.segments[data].length
        for number in theirs:
            if (made.segments[number].ack or 0) >= end:
                yield _received(data), _sent(number)
        for number in _named(made, receiver, "recvfrom"):
            yield _received(data), _return(number)
        fin = next(n for n in mine if "FIN" in made.segments[n].flags)
        closing = _named(made, sender, "close")[-1]
        yield _entry(closing), _sent(fin)
        for number in _named(made, receiver, "recvfrom"):
            if made.calls[number].result == 0:
                yield _received(fin), _return(number)


def _named(made: Recording, numbers: list[int], name: str) -> list[int]:
    return [number for number in numbers if made.calls[number].name == name]
