from __future__ import annotations

import pytest

from labctl.play.junit import outcomes
from labctl.show import verify as showing

pytest_plugins = "pytester"

TCP = """\
import pytest
class TestIt:
    def test_good(self): pass
def test_bad(): assert False
def test_skipped(): pytest.skip("no")
@pytest.fixture
def broken(): yield; raise OSError
def test_unclean(broken): pass
def test_bad_and_unclean(broken): assert False
"""


def test_the_tests_of_each_lab_are_counted(pytester: pytest.Pytester) -> None:
    for lab in ("tcp", "other", "wrong"):
        folder = pytester.mkdir(lab)
        text = {"tcp": TCP, "other": "def test_one(): pass", "wrong": "import no_such"}[lab]
        (folder / f"test_{lab}.py").write_text(text)
    report = pytester.path / "junit.xml"
    options = ["--import-mode=importlib", "--continue-on-collection-errors"]
    pytester.runpytest(f"--junit-xml={report}", *options)
    modules = {"tcp": "test_tcp", "other": "test_other", "wrong": "test_wrong"}
    tcp, other, wrong = outcomes(report.read_text(), modules)
    assert (tcp.tests, tcp.passed, tcp.failed, tcp.skipped) == (5, 1, 3, 1)
    assert (other.tests, other.passed, other.failed) == (1, 1, 0)
    assert (wrong.tests, wrong.passed, wrong.failed) == (1, 0, 1)


def test_a_lab_whose_tests_did_not_run_has_none() -> None:
    (outcome,) = outcomes("<testsuites><testsuite/></testsuites>", {"tcp": "test_tcp"})
    assert showing.as_json(outcome) == {
        "lab": "tcp",
        "tests": 0,
        "passed": 0,
        "failed": 0,
        "skipped": 0,
        "seconds": 0.0,
    }
