"""What was judged or diagnosed is drawn first, in every output."""

from __future__ import annotations

from pathlib import Path

from labctl.cli import pictures
from labctl.play.judged import judge
from labctl.sequence.pattern import parse
from labctl.show.figure.model import Options
from labctl.show.preferred import preferring
from tests.unit.sequence.exchanges import exchange
from tests.unit.show.figure.recordings import refused
from tests.unit.show.figure.test_choice import retries_then_download

WANTED = {"client": ["socket", "connect", "send+", "recv+", "close"]}
"""What all connections that are refused fail."""


def test_failing_ones_come_before_those_with_warnings() -> None:
    recording = retries_then_download().recording
    judged = judge(recording, parse({**WANTED, "port": 7007, "connections": "1+"}))
    assert judged.verdict is not None
    assert judged.verdict.judged == judged.verdict.failed == (15, 16)
    preferred = preferring(judged, Options(unfold=True))
    assert preferred.prefer[:2] == (15, 16)
    assert preferred.unfold
    told = {number for diagnosis in judged.diagnoses for number in diagnosis.connections}
    assert told
    assert set(preferred.prefer) == {15, 16} | {
        number
        for diagnosis in judged.diagnoses
        if diagnosis.level != "info"
        for number in diagnosis.connections
    }


def test_a_passing_one_is_preferred_too() -> None:
    judged = judge(exchange(), parse(WANTED))
    assert judged.verdict is not None
    assert (judged.verdict.judged, judged.verdict.failed) == ((1,), ())
    assert preferring(judged, Options()).prefer[0] == 1


def test_without_a_verdict_the_diagnoses_decide() -> None:
    assert preferring(judge(refused()), Options()).prefer == (1,)


def test_files_draw_what_was_judged(tmp_path: Path) -> None:
    recording = retries_then_download().recording
    judged = judge(recording, parse({**WANTED, "port": 7007, "connections": "1+"}))
    for suffix in (".txt", ".svg", ".html"):
        pictures.write(judged, Options(), tmp_path / f"a{suffix}")
        assert "10.0.0.2:7007" in (tmp_path / f"a{suffix}").read_text(encoding="utf-8")
