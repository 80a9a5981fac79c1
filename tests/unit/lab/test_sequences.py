"""`sequence:` in a lab file: what is read, and every mistake with file, line and column."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.errors import LabFileError
from labctl.lab.load import check
from labctl.lab.source import parse
from labctl.sequence.pattern import parse as parse_pattern
from tests.unit.lab.conftest import LoadText, ProblemsOf, Write

REST = """
  scenarios:
    plain: {steps: [{host: client, run: x}]}
    own: {steps: [{host: client, run: x}], sequence: {client: [socket]}}
    none: {steps: [{host: client, run: x}], sequence: }
services:
  server: {networks: [lan]}
  client: {networks: [lan]}
  peer: {scale: 3, networks: [lan]}
  pattern: {scale: 0}
networks: {lan: {internal: true}}
"""


def lab(text: str) -> str:
    return f"x-lab:\n  title: t\n  sequence:\n    {text}{REST}"


GOOD = """server: [socket, bind, listen, accept, recv+, send+, recv=0, close]
    client: [socket, connect, (send recv)+|recv, "shutdown?", close]
    peer-2: ["recv{2,3}"]
    wire: [SYN, SYN-ACK, ACK, client>data+, FIN, FIN]
    never: {server: [connect], wire: [RST]}
    before: [[server.listen.return, client.connect.call]]
    port: 8080
    connections: 3+"""


def test_a_whole_one(load_text: LoadText) -> None:
    loaded = load_text(lab(GOOD))
    assert loaded.x.sequence is not None
    found = parse_pattern(loaded.x.sequence)
    assert set(found.hosts) == {"server", "client", "peer-2"}
    assert (found.port, found.least, found.most, found.protocol) == (8080, 3, None, "tcp")


def test_a_scenario_has_its_own_or_none_or_the_labs(load_text: LoadText) -> None:
    x = load_text(lab(GOOD)).x
    assert x.sequence_of("plain") is x.sequence
    assert x.sequence_of("own") == {"client": ["socket"]}
    assert x.sequence_of("none") is None


CASES = [
    # text, (line, column), message, hint
    ("server: [sock, bind]", (4, 14), "unknown verb `sock`", "did you mean `socket`?"),
    ("server: [bind, acept]", (4, 20), "unknown verb `acept`", "did you mean `accept`?"),
    ("server: [bind, 7]", (4, 20), "an element must be a text, not 7", "server: [socket"),
    ("server: 7", (4, 13), "must be a list of elements", "server: [socket"),
    ("server: [connect=EREFUSED]", (4, 14), "unknown result `EREFUSED`", "`ECONNREFUSED`?"),
    ("server: [(recv]", (4, 14), "a `(` without its `)`", "write it as"),
    ("sever: [bind]", (4, 5), "the sequence names an unknown host `sever`", "`server`?"),
    ("servr: [bind]", (4, 5), "the sequence names an unknown host `servr`", "`server`?"),
    ("Server: [bind]", (4, 5), "`Server` is not a host's name", "hosts, and the words"),
    ("befor: [[a.b.c, d.e.f]]", (4, 5), "unknown key `befor`", "did you mean `before`?"),
    ("befor: [recv]", (4, 5), "unknown key `befor` in x-lab.sequence", "`before`?"),
    ("pattern: [bind]", (4, 5), "`pattern` is a template (scale: 0)", "name a host"),
    ("peer: [bind]", (4, 5), "there are 3 hosts of `peer`", "peer-1 to peer-3"),
    ("wire: [SYNACK]", (4, 12), "unknown segment `SYNACK`", "did you mean `SYN-ACK`?"),
    ("wire: [SYN, cliet>FIN]", (4, 17), "the sequence names an unknown host `cliet`", "`client`"),
    ("never: [connect]", (4, 12), "must be a mapping of host to calls", "never: {"),
    ("never: {server: [conect]}", (4, 22), "unknown verb `conect`", "did you mean `connect`?"),
    ("never: {sever: [connect]}", (4, 13), "an unknown host `sever`", "did you mean `server`?"),
    (
        "before: [[server.listen.return, client.conect.call]]",
        (4, 37),
        "unknown verb `conect`",
        "did you mean `connect`?",
    ),
    (
        "before: [[server.listen.return, clint.connect.call]]",
        (4, 37),
        "the sequence names an unknown host `clint`",
        "did you mean `client`?",
    ),
    ("before: [[server.listen.return]]", (4, 14), "must be a list of two instants", "before: [["),
    ("{server: [bind], port: 0}", (4, 28), "port 0 is not 1 to 65535", "port: 8080"),
    ("{server: [bind], connections: x}", (4, 35), 'connections: "x" is not a number', "`3+`"),
    ("{server: [bind], protocol: tpc}", (4, 32), 'protocol "tpc" is neither', "tcp or udp"),
    ("{}", (4, 5), "the pattern asks for nothing", "name a host"),
    ("[bind]", (4, 5), "x-lab.sequence: must be a mapping", "schema"),
    ("server: [ACK?]", (4, 17), "this is not YAML", 'needs quotes: ["ACK?"]'),
    ("server: [recv{2}]", (4, 18), "this is not YAML", 'needs quotes: ["recv{2,3}"]'),
]


@pytest.mark.parametrize(("text", "place", "words", "hint"), CASES, ids=[c[0] for c in CASES])
def test_each_mistake_has_its_place_and_words(
    problems_of: ProblemsOf, text: str, place: tuple[int, int], words: str, hint: str
) -> None:
    problem = problems_of(lab(text))[0]
    assert words in problem.message
    assert hint in problem.hint
    assert (problem.line, problem.column) == place
    assert str(problem).startswith(f"compose.yaml:{place[0]}:{place[1]}: ")


def test_a_mistake_in_a_scenarios_own_sequence(problems_of: ProblemsOf) -> None:
    (problem,) = problems_of(lab(GOOD).replace("{client: [socket]}", "{client: [sockt]}"))
    assert (problem.message, problem.hint) == ("unknown verb `sockt`", "did you mean `socket`?")
    assert problem.line == lab(GOOD)[: lab(GOOD).index("own:")].count("\n") + 1


def test_all_mistakes_are_told_in_the_order_of_the_file(problems_of: ProblemsOf) -> None:
    text = "server: [acept, recv, cloze]\n    clint: [connect]\n    port: 0"
    assert [(p.line, p.message) for p in problems_of(lab(text))] == [
        (4, "unknown verb `acept`"),
        (4, "unknown verb `cloze`"),
        (5, "the sequence names an unknown host `clint`"),
        (6, "port 0 is not 1 to 65535"),
    ]


def test_validate_ends_with_2_and_tells_the_place(write: Write) -> None:
    write(lab("server: [bind, acept]"))
    done = subprocess.run(
        [sys.executable, "-m", "labctl", "validate"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.splitlines() == [
        "compose.yaml:4:20: unknown verb `acept`",
        "    did you mean `accept`?",
    ]


@given(
    st.dictionaries(
        st.sampled_from(["server", "client", "wire", "never", "before", "port", "befor", "S"]),
        st.recursive(
            st.one_of(st.integers(-1, 99), st.none(), st.sampled_from(["recv+", "a.b.c", "("])),
            lambda inner: st.one_of(
                st.lists(inner, max_size=2),
                st.dictionaries(st.sampled_from(["server", "x"]), inner, max_size=2),
            ),
            max_leaves=4,
        ),
        max_size=3,
    )
)
def test_any_data_is_read_or_refused_with_a_place(data: dict[str, Any]) -> None:
    text = lab(repr(data).replace("None", "null"))
    try:
        check(parse(text, Path("/nowhere/compose.yaml")))
    except LabFileError as error:
        assert all(problem.line == 4 and problem.column >= 1 for problem in error.problems)
