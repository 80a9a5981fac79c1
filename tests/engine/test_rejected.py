"""Each broken program is rejected with the right sentence; the correct ones pass, all languages."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from labctl.engine.client import Engine
from labctl.engine.live import LiveLab
from labctl.engine.up import Reporter
from labctl.lab.load import load
from labctl.lab.model import Step
from labctl.play.fresh import fresh
from tests.engine import programs
from tests.engine.observed_programs import (
    after,
    client,
    play,
    report,
    server,
    tcp,
    udp,
    write_lab,
)
from tests.engine.programs import BROKEN, Broken, command
from tests.engine.rejected import FOUND, MEANS, SAYS

ANY = "0.0.0.0"
PORTS = itertools.count(5000)
"""For each play another one, as those of earlier plays stay in TIME-WAIT."""

PAIRS = [
    *((server, "correct/client.c") for server in programs.SERVERS),
    *(("correct/server.py", client) for client in programs.CLIENTS),
    ("correct/server.js", "correct/client.js"),
    ("correct/server.c", "correct/client_in_pieces.py"),
]


@pytest.fixture(scope="module")
def lab(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveLab]:
    """Two hosts with the programs on them."""
    file = write_lab(tmp_path_factory.mktemp("lab"), programs.image(engine))
    with fresh(engine, load(file), Reporter()) as up:
        yield up


def called(lab: LiveLab, port: int, program: str, *more: object) -> str:
    """Return the shell's words for a client of the server's address."""
    return " ".join(command(program, lab.host("server").addresses["lan"], port, *more))


def within(broken: Broken, words: str) -> str:
    """Return the shell's words for the client with the limits of the broken program's pair."""
    # Observed, on a busy machine, a client takes seconds until it waits for the answer.
    return " ".join([*programs.limited(broken, 8), words])


def steps(lab: LiveLab, port: int, broken: Broken) -> list[Step]:
    """Return how a broken program is played with its partner."""
    stem = Path(broken.program).stem
    if broken.partner is None:
        return [client(called(lab, port, broken.program), ready=False)]
    if not broken.server:
        return [
            server(command(broken.partner, ANY, port)),
            client(within(broken, called(lab, port, broken.program))),
        ]
    partner = within(broken, called(lab, port, broken.partner))
    argv = command(broken.program, ANY, port)
    if stem == "no_reuseaddr":
        once = server(command(broken.program, ANY, port, 1))
        again = Step(host="server", run=f"{' '.join(argv)}; true", when=after("server"))
        return [once, client(partner), again]
    if stem == "never_accepts":
        return [server(argv), client(f"{partner} & {partner} & wait")]
    times = 3 if stem in ("leaks_descriptors", "zombies") else 1
    return [server(argv), client("; ".join([partner] * times))]


@pytest.mark.parametrize("broken", BROKEN.values(), ids=lambda one: one.fault)
def test_a_broken_program_is_rejected_with_the_right_sentence(
    engine: Engine, lab: LiveLab, broken: Broken
) -> None:
    stem = Path(broken.program).stem
    port = next(PORTS)
    pattern = udp(port) if stem.startswith("udp") else tcp(port)
    judged = play(engine, lab, steps(lab, port, broken), pattern)
    said = report(judged)
    assert MEANS.get(stem, "") in " ".join(said.split()), said
    found: dict[str, str] = {one.rule: str(one) for one in judged.diagnoses if one.level != "info"}
    for rule in FOUND.get(stem, ()):
        assert SAYS[rule].format(port=port) in found.get(rule, ""), said
    assert said


def test_every_broken_program_has_its_sentence() -> None:
    assert set(BROKEN) == {*MEANS, *FOUND}
    assert len(BROKEN) >= 12


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_correct_programs_are_accepted_by_the_same_pattern(
    engine: Engine, lab: LiveLab, pair: tuple[str, str]
) -> None:
    port = next(PORTS)
    argv = command(pair[0], ANY, port)
    fetches = "; ".join([called(lab, port, pair[1], 200_000)] * 3)
    judged = play(engine, lab, [server(argv), client(fetches)], {**tcp(port), "connections": 3})
    assert judged.passed, report(judged)
    assert not report(judged)


@pytest.mark.parametrize("pair", PAIRS[4:7], ids=" and ".join)
def test_correct_programs_are_accepted_by_what_tracefs_sees(
    engine: Engine, lab: LiveLab, pair: tuple[str, str]
) -> None:
    port = next(PORTS)
    fetches = "; ".join([called(lab, port, pair[1], 200_000)] * 3)
    steps = [server(command(pair[0], ANY, port)), client(fetches)]
    judged = play(engine, lab, steps, {**tcp(port), "connections": 3}, "tracefs")
    assert judged.passed, report(judged)
    assert not report(judged)


def test_correct_programs_over_udp_are_accepted(engine: Engine, lab: LiveLab) -> None:
    port = next(PORTS)
    argv = command(programs.UDP_SERVER, ANY, port)
    fetch = called(lab, port, programs.UDP_CLIENT, 1000, 3)
    judged = play(engine, lab, [server(argv), client(fetch)], {**udp(port), "connections": 3})
    assert judged.passed, report(judged)
    assert not report(judged)
