"""Links in a lab file: their values, and the mistakes."""

from __future__ import annotations

import pytest

from labctl.lab.link import Link, in_words, parse_rate, parse_share
from labctl.lab.links import links_of
from tests.unit.lab.conftest import LoadText, ProblemsOf

REST = """
services:
  server: {networks: [lan]}
  peer: {scale: 3, networks: [lan]}
  pattern: {scale: 0}
networks: {lan: {internal: true}, wan: {internal: true}}
"""


def x(text: str) -> str:
    return f"x-lab:\n  title: t\n  links: {text}{REST}"


@pytest.mark.parametrize(
    ("told", "rate"),
    [("40mbit", 40_000_000), ("1.5Mbit", 1_500_000), ("8kbit", 8_000), ("1 gbit", None)],
)
def test_rates(told: str, rate: int | None) -> None:
    if rate is None:
        with pytest.raises(ValueError, match="not a rate"):
            parse_rate(told)
    else:
        assert parse_rate(told) == rate


@pytest.mark.parametrize("told", [40, "40", "40mb", "-1mbit", "0bit", "7kbit", "900gbit", None, []])
def test_what_is_no_rate(told: object) -> None:
    with pytest.raises(ValueError, match="not a rate"):
        parse_rate(told)


def test_shares() -> None:
    assert parse_share("1%") == 0.01
    assert parse_share("0.5 %") == 0.005
    for told in (1, "1", "0%", "100%", "-1%", "x%", None, True):
        with pytest.raises(ValueError, match="not a share"):
            parse_share(told)


def test_a_copys_own_link_comes_before_its_services(load_text: LoadText) -> None:
    lab = load_text(x("{peer: {lan: {rate: 8mbit}}, peer-2: {lan: {rate: 1mbit, loss: 2%}}}"))
    assert in_words(links_of(lab.x.links, "peer-1", "peer")["lan"]) == "8 Mbit/s"
    assert in_words(links_of(lab.x.links, "peer-2", "peer")["lan"]) == "1 Mbit/s, 2 % lost"
    assert links_of(lab.x.links, "server", "server") == {}


def test_in_words() -> None:
    told = Link.model_validate({"rate": "2.5gbit", "delay": "20ms", "loss": "0.1%"})
    assert in_words(told) == "2.5 Gbit/s, 20 ms, 0.1 % lost"


CASES = [
    ("{servr: {lan: {rate: 1mbit}}}", (3, 11), "an unknown host `servr`", "`server`?"),
    ("{pattern: {lan: {rate: 1mbit}}}", (3, 11), "`pattern` is a template", "extends it"),
    ("{peer-x: {lan: {rate: 1mbit}}}", (3, 11), "an unknown host `peer-x`", "`peer`?"),
    ("{peer: {wan: {rate: 1mbit}}}", (3, 18), "peer is not on the network `wan`", "lan"),
    ("{peer: {lan: {}}}", (3, 23), "a link that is as any other", "give it a rate"),
    ("{peer: {lan: {rate: 5}}}", (3, 30), "links.peer.lan.rate: not a rate: 5", "40mbit"),
    ("{peer: {lan: {loss: 2}}}", (3, 30), "loss: not a share of packets: 2", "1%"),
    ("{peer: {lan: {delay: x}}}", (3, 31), "delay: not a duration: 'x'", "500ms"),
    ("{peer: {lan: {rat: 5}}}", (3, 24), "unknown key `rat` in x-lab.links.peer.lan", "`rate`?"),
    ("{peer: {rate: 5mbit}}", (3, 24), "x-lab.links.peer.rate: must be a mapping", "schema"),
    ("[]", (3, 10), "x-lab.links: must be a mapping", "schema"),
]


@pytest.mark.parametrize(("text", "place", "words", "hint"), CASES, ids=[c[2] for c in CASES])
def test_a_mistake_has_its_place_and_words(
    problems_of: ProblemsOf, text: str, place: tuple[int, int], words: str, hint: str
) -> None:
    problem = problems_of(x(text))[0]
    assert words in problem.message
    assert hint in problem.hint
    assert (problem.line, problem.column) == place


def test_an_experiment_is_one_of_those_there_are(problems_of: ProblemsOf) -> None:
    (problem,) = problems_of(f"x-lab: {{title: t, experiment: other}}{REST}")
    assert "x-lab.experiment: must be 'distribution', not \"other\"" in problem.message
