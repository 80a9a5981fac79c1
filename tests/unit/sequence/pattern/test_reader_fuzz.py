"""No data, however odd, makes the reader of patterns crash, nor the matcher what it has read."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from labctl.sequence.pattern import Pattern, Verdict, examine, match
from labctl.sequence.pattern.syntax import text
from tests.unit.sequence.pattern.made import Told, connection

WORDS = st.sampled_from(
    [
        *("socket", "bind", "listen", "accept", "recv", "recv=0", "send", "close", "close=shared"),
        *("connect=ECONNREFUSED", "recv=EAGAIN", "sendfile", "SYN", "SYN-ACK", "ACK", "data"),
        *("client>FIN", "server>RST", "datagram", "icmp", "acept", "recv=x", "=", ">"),
    ]
)
SIGNS = st.sampled_from(["", "", "+", "*", "?", "{2}", "{1,3}", "{", "|", "(", ")", " ", ","])
TEXTS = st.one_of(
    st.lists(st.tuples(SIGNS, WORDS, SIGNS), max_size=4).map(
        lambda parts: " ".join("".join(part) for part in parts)
    ),
    WORDS,
    st.text(max_size=12),
)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.just(9000).map(lambda power: 16**power),  # more digits than Python writes
    TEXTS,
    st.binary(max_size=3),
)
INSTANTS = st.sampled_from(
    ["server.listen.return", "client.SYN.sent", "client.connect.call", "a.b.c", "server.recv+.call"]
)
KEYS = st.one_of(
    st.sampled_from(["server", "client", "wire", "never", "before", "port", "protocol", "Server"]),
    st.sampled_from(["connections", "befor"]),
    ODD,
)
LISTS = st.lists(st.one_of(TEXTS, TEXTS, ODD), max_size=5)
VALUES = st.recursive(
    st.one_of(LISTS, TEXTS, ODD, st.lists(st.lists(INSTANTS | ODD, max_size=3), max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=4,
)
TOLD = Told(
    connection(
        "socket bind listen accept recv=5 send=5 close",
        "socket connect send=5 recv=5 recv=0 close",
        "c>SYN s>SYN-ACK c>ACK c>data s>data s>FIN c>FIN",
    ),
    connection("", "socket connect=ECONNREFUSED", "c>SYN s>RST", outcome="refused", number=2),
    connection("socket bind recv=5", "socket send=5", "c>datagram", protocol="udp", number=3),
)


def judge(pattern: Pattern) -> Verdict | None:
    if {mention.host for mention in pattern.mentions} <= {"server", "client"}:
        return match(pattern, TOLD)
    return None


@given(st.one_of(st.dictionaries(KEYS, VALUES, max_size=5), VALUES))
def test_any_data_is_read_or_refused(data: Any) -> None:
    found = examine(data)
    assert (found.pattern is None) == bool(found.errors)
    for error in found.errors:
        assert error.message and str(error)
    if found.pattern is not None:
        judge(found.pattern)


@given(
    st.dictionaries(
        st.sampled_from(["server", "client", "wire"]),
        st.lists(st.tuples(WORDS, SIGNS).map("".join), min_size=1, max_size=5),
        min_size=1,
    ),
    st.sampled_from([None, "tcp", "udp"]),
)
def test_what_is_read_can_be_judged_and_told(
    elements: dict[str, Any], protocol: str | None
) -> None:
    found = examine({**elements, "protocol": protocol}).pattern
    if found is None:
        return
    verdict = judge(found)
    assert verdict is not None
    assert str(verdict)
    assert bool(verdict) == (not verdict.failures)
    again = {host: list(map(text, nodes)) for host, nodes in found.hosts.items()}
    if found.wire is not None:
        again["wire"] = list(map(text, found.wire))
    assert str(match({**again, "protocol": found.protocol}, TOLD)) == str(verdict)
