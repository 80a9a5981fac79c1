"""What must have come before what, on each connection."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labctl.sequence.connection import Connection
from labctl.sequence.pattern import match
from tests.unit.sequence.pattern.made import START, Clock, Told, calls, connection, segments


def staged(*, client_late: bool = True, number: int = 1) -> Connection:
    """Return a connection in which the client begins after, or else before, the server listens."""
    made = connection(server="socket", client="socket", number=number)
    first, second, third = Clock(START), Clock(START + 10**6), Clock(START + 2 * 10**6)
    server = calls("server", "socket bind listen accept=EAGAIN accept recv=5 close", first)
    client = calls("client", "socket connect send=5 close", second if client_late else Clock())
    return replace(
        made,
        server=replace(made.server, calls=server),
        client=replace(made.client, calls=client),
        segments=segments("c>SYN s>SYN-ACK c>data s>FIN c>FIN", clock=third),
    )


HOLDS = [
    "server.listen.return client.connect.call",
    "server.socket.call server.socket.return",
    "server.listen.return client.connect.call client.SYN.sent server.SYN.received",
    "client.SYN.sent server.SYN-ACK.sent",
    "server.SYN.received client.SYN-ACK.received",
    "server.ACK.received server.FIN.sent",  # the third segment, though it carries data
    "client.SYN.sent client.FIN.sent",
    "server.accept4.return client.socket.call",
]


@pytest.mark.parametrize("chain", HOLDS)
def test_what_holds(chain: str) -> None:
    made = staged()
    if "accept4" in chain:
        accepted = tuple(
            replace(c, name=c.name.replace("accept", "accept4")) for c in made.server.calls
        )
        made = replace(made, server=replace(made.server, calls=accepted))
    assert match({"before": [chain.split()]}, Told(made))


def test_what_came_first_instead() -> None:
    told = Told(staged(client_late=False))
    (failure,) = match({"before": [["server.listen.return", "client.connect.call"]]}, told).failures
    assert failure.subject == "before"
    assert failure.meaning == (
        "client.connect.call came first, at 0.020 ms; server.listen.return only at 0.050 ms."
    )


def test_what_nothing_orders_is_not_asserted() -> None:
    made = connection(server="socket accept", client="socket connect")
    told = Told(made)  # both clocks begin at once
    pattern = {"before": [["client.connect.return", "server.accept.return"]]}
    (failure,) = match(pattern, told).failures
    assert failure.meaning == (
        "Nothing orders client.connect.return (at 0.030 ms) and server.accept.return (at 0.030 "
        "ms): neither causes the other, so that next time it may be the other way round."
    )


def test_what_never_happened() -> None:
    told = Told(staged())
    (failure,) = match({"before": [["client.bind.call", "client.connect.call"]]}, told).failures
    assert failure.meaning == "client.bind.call did not happen on this connection."
    assert not match({"before": [["client.connect.call", "client.RST.sent"]]}, told)


def test_each_pair_of_a_chain_is_judged() -> None:
    chain = ["client.connect.call", "server.listen.return", "server.bind.return"]
    verdict = match({"before": [chain]}, Told(staged()))
    assert [failure.meaning.split(" came")[0] for failure in verdict.failures] == [
        "server.listen.return",
        "server.bind.return",
    ]
    assert verdict.failing == 1


def test_alike_failures_of_connections_are_one() -> None:
    made = [staged(client_late=False, number=n) for n in range(1, 6)]
    verdict = match({"before": [["server.listen.return", "client.connect.call"]]}, Told(*made))
    assert (verdict.connections, verdict.failing) == (5, 5)
    assert [failure.more for failure in verdict.failures] == [4]


def test_calls_that_are_made_again_are_no_instants() -> None:
    # The first accept returned EAGAIN.
    told = Told(staged())
    sequence = [c for c in told.connections[0].server.calls if c.name == "accept"]
    assert sequence[0].errno == "EAGAIN"
    named = {"before": [["server.accept=EAGAIN.return", "server.accept=0.call"]]}
    assert match(named, told)
    again = {"before": [["server.accept.call", "server.accept=EAGAIN.call"]]}
    assert not match(again, told)


def test_a_host_at_neither_end_is_looked_for_everywhere() -> None:
    other = calls("directory", "bind listen", socket=77)
    told = Told(staged(), stray=other, hosts=("client", "server", "directory"))
    pattern = {"before": [["directory.listen.return", "client.connect.call"]], "client": ["socket"]}
    failures = match({**pattern, "client": "socket connect send close"}, told).failures
    assert failures == ()
