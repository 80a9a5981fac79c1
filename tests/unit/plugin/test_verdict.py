"""How `verify` ends: nothing of what ran is lost by what is wrong beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from labctl.cli.verdict import tell
from labctl.errors import CheckFailed, MachineError, UsageError
from labctl.play.junit import Outcome
from labctl.play.verify import Verified, judged

XML = "<testsuites/>"


def good() -> Outcome:
    return Outcome("good", tests=2, passed=2)


def bad() -> Outcome:
    return Outcome("bad", tests=2, passed=1, failed=1)


@pytest.mark.parametrize("outcomes", [[good(), Outcome("empty")], [bad(), Outcome("empty")]])
def test_a_lab_without_tests_loses_no_others(
    outcomes: list[Outcome], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "junit.xml"
    with pytest.raises(UsageError, match="no test ran for empty"):
        tell(judged(outcomes, XML, 0, chosen=False), report, as_json=False)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines[1:]] == [outcomes[0].lab, "empty"]
    assert lines[2][-2:] == ["no", "tests"]
    assert report.read_text() == XML
    with pytest.raises(UsageError):
        tell(judged(outcomes, XML, 0, chosen=False), None, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert [one.get("error") for one in told] == [None, "no test ran for empty"]


def test_of_chosen_tests_a_lab_may_have_none() -> None:
    tell(judged([good(), Outcome("empty")], XML, 0, chosen=True), None, as_json=False)


def test_a_report_that_cannot_be_written_loses_no_outcome(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(MachineError, match="cannot be written"):
        tell(Verified([bad()], XML), tmp_path, as_json=False)
    assert "bad" in capsys.readouterr().out


def test_pytests_own_failure_is_told_after_the_outcomes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(CheckFailed, match="pytest ended with exit code 3"):
        tell(judged([good()], XML, 3, chosen=False), None, as_json=False)
    assert "good" in capsys.readouterr().out
    with pytest.raises(typer.Exit) as ended:
        tell(judged([bad()], XML, 1, chosen=False), None, as_json=False)
    assert ended.value.exit_code == 1
