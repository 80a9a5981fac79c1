"""Whole patterns: what they are read as, and every mistake with the path to it."""

from __future__ import annotations

from typing import Any

import pytest

from labctl.sequence.pattern import PatternError, examine, parse
from labctl.sequence.pattern.model import Instant, Pattern
from labctl.sequence.pattern.syntax import Atom, Repeat, text

WHOLE: dict[str, Any] = {
    "server": ["socket", "bind", "listen", "accept", "recv+", "recv=0", "close"],
    "client": "socket connect send+ recv* close",
    "wire": ["SYN", "SYN-ACK", "ACK", "client>data+"],
    "never": {"server": ["connect"], "wire": ["RST|icmp"]},
    "before": [["server.listen.return", "client.connect.call", "client.SYN.sent"]],
    "port": 8080,
    "connections": "2+",
}


def test_a_whole_pattern() -> None:
    found = parse(WHOLE)
    assert found.hosts["server"][4:6] == (Repeat(Atom("recv"), 1, None), Atom("recv", 0))
    assert [text(node) for node in found.hosts["client"]] == str(WHOLE["client"]).split()
    assert found.wire is not None and len(found.wire) == 4
    assert found.never == {"server": (Atom("connect"),), "wire": (Atom("RST"), Atom("icmp"))}
    listen, connect, syn = (
        Instant("server", Atom("listen"), "return", "server.listen.return"),
        Instant("client", Atom("connect"), "call", "client.connect.call"),
        Instant("client", Atom("SYN"), "sent", "client.SYN.sent"),
    )
    assert found.before == ((listen, connect), (connect, syn))
    assert (found.port, found.protocol, found.least, found.most) == (8080, "tcp", 2, None)
    assert {mention.host for mention in found.mentions} == {"server", "client"}
    assert parse(found) is found


def test_lists_may_be_tuples() -> None:
    assert parse({"server": ("socket",), "before": (("a.bind.call", "b.bind.call"),)}).before


@pytest.mark.parametrize(
    ("data", "protocol"),
    [
        ({"server": ["socket", "accept"]}, "tcp"),
        ({"client": ["connect=ECONNREFUSED"]}, "tcp"),
        ({"server": ["socket", "bind", "recv"]}, "udp"),
        ({"wire": ["SYN"]}, "tcp"),
        ({"wire": ["datagram"]}, "udp"),
        ({"wire": ["icmp"]}, None),
        ({"client": ["connect"], "wire": ["datagram"]}, "udp"),
        ({"server": ["recv"], "before": [["server.SYN.received", "server.recv.return"]]}, "tcp"),
        ({"server": ["recv"], "protocol": "tcp"}, "tcp"),
        ({"never": {"server": ["connect"]}}, None),
    ],
)
def test_the_protocol_that_is_meant(data: dict[str, Any], protocol: str | None) -> None:
    assert parse(data).protocol == protocol


@pytest.mark.parametrize(
    ("told", "bounds"),
    [(3, (3, 3)), (0, (0, 0)), ("3", (3, 3)), ("3+", (3, None)), ("0+", (0, None))],
)
def test_how_many_connections(told: int | str, bounds: tuple[int, int | None]) -> None:
    found = parse({"server": ["accept"], "connections": told})
    assert (found.least, found.most) == bounds


LIST = {"server": ["accept"]}
WRONG: list[tuple[Any, tuple[str | int, ...], bool, str, str]] = [
    # data, path, is the key wrong, message, hint
    ([], (), False, "a pattern must be a mapping", "server: ["),
    (None, (), False, "a pattern must be a mapping", "server: ["),
    ({}, (), False, "the pattern asks for nothing", "name a host"),
    ({"Server": ["recv"]}, ("Server",), True, "`Server` is not a host's name", "hosts, and"),
    ({"Befor": ["recv"]}, ("Befor",), True, "`Befor` is not a host's name", "`before`?"),
    ({7: ["recv"]}, (), False, "`7` is not a host's name", "hosts, and"),
    ({16**9000: ["recv"]}, (), False, "`a number of very many digits` is not", "hosts, and"),
    ({"server": 5}, ("server",), False, "must be a list of elements", "server: ["),
    ({"server": {"a": 1}}, ("server",), False, "must be a list of elements", "server: ["),
    ({"server": [5]}, ("server", 0), False, "an element must be a text, not 5", "server: ["),
    ({"server": ["recv", {"a": 1}]}, ("server", 1), False, "a text, not a mapping", "server: ["),
    ({"server": ["recv", None]}, ("server", 1), False, "a text, not None", "server: ["),
    ({"server": ["recv", ["a"]]}, ("server", 1), False, "a text, not a list", "server: ["),
    ({"server": ["recv", "acept"]}, ("server", 1), False, "unknown verb `acept`", "`accept`?"),
    ({"server": "acept"}, ("server",), False, "unknown verb `acept`", "`accept`?"),
    ({"server": ["(recv"]}, ("server", 0), False, "a `(` without its `)`", "write it as"),
    ({"server": ["recv{600}", "send{600}"]}, ("server",), False, "more than 1000 elements", "`+`"),
    ({"server": ["((recv{999}){999}){999}"]}, ("server",), False, "more than 1000", "`+`"),
    ({"wire": ["SIN"]}, ("wire", 0), False, "unknown segment `SIN`", "did you mean `SYN`?"),
    ({"wire": 7}, ("wire",), False, "must be a list of elements", "server: ["),
    ({"never": ["connect"]}, ("never",), False, "must be a mapping of host to calls", "never: {"),
    ({"never": {"server": 3}}, ("never", "server"), False, "must be a list of elements", ""),
    ({"never": {"server": ["conect"]}}, ("never", "server", 0), False, "`conect`", "`connect`?"),
    ({"never": {"S": ["recv"]}}, ("never", "S"), True, "`S` is not a host's name", "hosts"),
    ({"never": {"a": ["recv+"]}}, ("never", "a", 0), False, "`never` knows no repetition", "each"),
    ({"never": {"a": "recv send"}}, ("never", "a"), False, "`never` knows no repetition", "each"),
    ({"never": {"wire": ["RTS"]}}, ("never", "wire", 0), False, "segment `RTS`", "`RST`?"),
    ({"before": {}}, ("before",), False, "must be a list of pairs", "before: [["),
    ({"before": ["a.b.c"]}, ("before", 0), False, "must be a list of two instants", "before: [["),
    ({"before": [["s.bind.call"]]}, ("before", 0), False, "of two instants or more", "before: [["),
    ({"before": [["s.bind.call", 5]]}, ("before", 0, 1), False, "`5` is not HOST.CALL.", "write"),
    ({"before": [["s.bind.call", "c.x"]]}, ("before", 0, 1), False, "`c.x` is not HOST", "write"),
    (
        {"before": [["server.lisen.return", "c.bind.call"]]},
        ("before", 0, 0),
        False,
        "unknown verb `lisen`",
        "`listen`?",
    ),
    (
        {"before": [["s.bind.cal", "c.bind.call"]]},
        ("before", 0, 0),
        False,
        "unknown instant `cal`",
        "did you mean `call`?",
    ),
    (
        {"before": [["s.bind.q", "c.bind.call"]]},
        ("before", 0, 0),
        False,
        "unknown instant `q`",
        "call or return of a call",
    ),
    (
        {"before": [["S.bind.call", "c.bind.call"]]},
        ("before", 0, 0),
        False,
        "`S` is not a host's name",
        "write it as",
    ),
    (
        {"before": [["s.recv+.call", "c.bind.call"]]},
        ("before", 0, 0),
        False,
        "`recv+`: one call or segment by itself",
        "write it as",
    ),
    (
        {"before": [["s.SYN.call", "c.bind.call"]]},
        ("before", 0, 0),
        False,
        "`SYN` is a segment, not a call",
        "under `wire`",
    ),
    ({**LIST, "port": 0}, ("port",), False, "port 0 is not 1 to 65535", "8080"),
    ({**LIST, "port": 65536}, ("port",), False, "port 65536 is not 1 to 65535", "8080"),
    ({**LIST, "port": "80"}, ("port",), False, 'port "80" is not 1 to 65535', "8080"),
    ({**LIST, "port": True}, ("port",), False, "port True is not 1 to 65535", "8080"),
    ({**LIST, "port": 16**9000}, ("port",), False, "very many digits is not 1 to", "8080"),
    ({**LIST, "port": [80]}, ("port",), False, "port a list is not 1 to 65535", "8080"),
    ({**LIST, "protocol": "sctp"}, ("protocol",), False, 'protocol "sctp" is neither', "tcp or"),
    ({**LIST, "protocol": ["tcp"]}, ("protocol",), False, "a list is neither", "tcp or"),
    ({**LIST, "connections": -1}, ("connections",), False, "connections: -1 is not", "`3+`"),
    ({**LIST, "connections": "some"}, ("connections",), False, '"some" is not a number', "`3+`"),
    ({**LIST, "connections": 10**9}, ("connections",), False, "1000000000 is not", "`3+`"),
    ({**LIST, "connections": True}, ("connections",), False, "True is not a number", "`3+`"),
]


@pytest.mark.parametrize(("data", "path", "key", "said", "hint"), WRONG)
def test_each_mistake_has_its_path_and_words(
    data: Any, path: tuple[str | int, ...], key: bool, said: str, hint: str
) -> None:
    (error,) = examine(data).errors
    assert said in error.message
    assert hint in error.hint
    assert (error.path, error.key) == (path, key)
    with pytest.raises(PatternError) as caught:
        parse(data)
    assert str(caught.value) == str(error)


def test_all_mistakes_are_told_at_once_and_the_right_parts_still_name_their_hosts() -> None:
    found = examine(
        {
            "server": ["acept", "recv", "cloze"],
            "client": ["connect"],
            "never": {"peer": ["lisen"]},
            "port": 0,
        }
    )
    assert found.pattern is None
    assert [error.path for error in found.errors] == [
        ("server", 0),
        ("server", 2),
        ("never", "peer", 0),
        ("port",),
    ]
    assert [mention.host for mention in found.mentions] == ["server", "client", "peer"]


def test_an_error_reads_as_one_line_with_its_path() -> None:
    with pytest.raises(PatternError) as caught:
        parse({"before": [["server.listen.return", "client.conect.call"]]})
    assert str(caught.value) == "before[0][1]: unknown verb `conect` (did you mean `connect`?)"


def test_mentions_know_where_each_host_is_named() -> None:
    found = parse(WHOLE)
    assert {(m.host, m.path, m.key) for m in found.mentions} == {
        ("server", ("server",), True),
        ("client", ("client",), True),
        ("client", ("wire", 3), False),
        ("server", ("never", "server"), True),
        ("server", ("before", 0, 0), False),
        ("client", ("before", 0, 1), False),
        ("client", ("before", 0, 2), False),
    }


def test_what_a_pattern_is_about() -> None:
    assert parse({"never": {"server": ["connect"]}}).about_connections is False
    assert parse({"never": {"wire": ["RST"]}}).about_connections is True
    assert parse({"never": {"server": ["fork"]}, "connections": 0}).about_connections is True
    assert parse({"wire": ["SYN"]}).between == frozenset()
    assert parse(WHOLE).between == {"server", "client"}
    assert isinstance(parse(WHOLE), Pattern)
