"""Runs the tests of labs: pytest in a child process, with labctl's plugin."""

from __future__ import annotations

import importlib.metadata
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from labctl.errors import CheckFailed, LabctlError, MachineError, UsageError
from labctl.lab.lab import Lab
from labctl.lab.load import load
from labctl.play import junit
from labctl.play.junit import Outcome

_NO_TESTS = 5
"""Pytest's exit code when it found none (pytest.ExitCode)."""

_HOW_TO_WRITE = (
    "The tests of lab NAME are functions `test_...(lab)` in test_NAME.py beside its compose.yaml; "
    "the name of each begins with `test_`. `labctl new` makes a lab with tests."
)


@dataclass(frozen=True)
class Tests:
    """A lab and the file of its tests."""

    lab: str
    file: Path


@dataclass(frozen=True)
class How:
    """Which tests run (as pytest's -k), whether labs stay up, whether pytest's own output goes to
    standard error."""

    only: str | None = None
    keep: bool = False
    quiet: bool = False


def of_each(lab_files: Iterable[Path]) -> tuple[list[Tests], list[Outcome]]:
    """Return the tests of labs, in test_<lab>.py beside the file of each (`-` may be `_` there),
    and the outcomes of those that have none, which keep the others from nothing.

    Raises LabFileError when a lab file is wrong, UsageError when none of the labs has tests.
    """
    labs = [load(file) for file in lab_files]
    found = {lab.name: tests for lab in labs if (tests := _tests(lab)) is not None}
    lacking = [Outcome(lab.name, error=_no_tests(lab)) for lab in labs if lab.name not in found]
    if not found:
        raise UsageError("\n".join(one.error for one in lacking), _HOW_TO_WRITE)
    return list(found.values()), lacking


def _no_tests(lab: Lab) -> str:
    return f"lab {lab.name} has no tests: there is no test_{lab.name}.py beside {lab.path}"


def with_tests(lab_files: Iterable[Path]) -> list[Tests]:
    """Return the tests of those labs that have any.

    Raises LabFileError when one of the files is wrong, UsageError when no lab has tests.
    """
    found = [tests for path in lab_files if (tests := _tests(load(path))) is not None]
    if not found:
        raise UsageError("no lab known here has tests", _HOW_TO_WRITE)
    return found


def _tests(lab: Lab) -> Tests | None:
    names = (f"test_{lab.name}.py", f"test_{lab.name.replace('-', '_')}.py")
    files = (lab.path.parent / name for name in names)
    return next((Tests(lab.name, file) for file in files if file.is_file()), None)


@dataclass(frozen=True)
class Verified:
    """The outcome of each lab, the JUnit XML of all, and what kept them from being a verdict."""

    outcomes: list[Outcome]
    xml: str
    wrong: LabctlError | None = None


def verify(wanted: Sequence[Tests], how: How) -> Verified:
    """Run the tests of all labs in one pytest; return the outcome of each lab.

    Raises UsageError when there is no test at all, or none matches `only`, MachineError when pytest
    cannot run, KeyboardInterrupt when it is interrupted; the labs have been taken down then.
    """
    with tempfile.TemporaryDirectory(prefix="labctl-") as folder:
        report = Path(folder) / "junit.xml"
        code = _pytest(wanted, how, report)
        if code == _NO_TESTS:
            which = f" that matches {how.only!r}" if how.only else ""
            raise UsageError(f"there is no test{which}", "`pytest --collect-only` lists them.")
        if not report.is_file():
            raise MachineError(
                f"pytest did not run (exit code {code})", "Its words above tell why."
            )
        xml = report.read_text(encoding="utf-8")
    outcomes = junit.outcomes(xml, {tests.lab: tests.file.stem for tests in wanted})
    return judged(outcomes, xml, code, bool(how.only))


def judged(outcomes: list[Outcome], xml: str, code: int, chosen: bool) -> Verified:
    """Say of outcomes, and of pytest's exit code, what is wrong beside tests that failed.

    A lab of which no test ran is told, unless tests were `chosen` by their names.
    """
    empty = [] if chosen else [outcome for outcome in outcomes if not outcome.tests]
    for outcome in empty:
        outcome.error = f"no test ran for {outcome.lab}"
    wrong = None
    if code != 0 and not any(outcome.failed for outcome in outcomes):
        wrong = CheckFailed(f"pytest ended with exit code {code}", "Its words above tell why.")
    return Verified(outcomes, xml, wrong)


def lacking(outcomes: Iterable[Outcome]) -> UsageError | None:
    """Return what is wrong where labs have no tests."""
    errors = [outcome.error for outcome in outcomes if outcome.error]
    return UsageError("\n".join(errors), _HOW_TO_WRITE) if errors else None


def _pytest(wanted: Sequence[Tests], how: How, report: Path) -> int:
    argv = [sys.executable, "-m", "pytest", *_plugin(), "--import-mode=importlib"]
    argv += [
        "--continue-on-collection-errors",
        "-p",
        "no:cacheprovider",
        f"--junit-xml={report}",
        "-o",
        "junit_logging=all",
    ]
    argv += ["-k", how.only] if how.only else []
    argv += ["--lab-keep"] if how.keep else []
    argv += [str(tests.file) for tests in wanted]
    # A session of its own: a Ctrl-C reaches it once, from here, and not a second time, from
    # the terminal, while it takes labs down.
    child = subprocess.Popen(argv, stdout=sys.stderr if how.quiet else None, start_new_session=True)
    try:
        return child.wait()
    except KeyboardInterrupt:
        child.send_signal(signal.SIGINT)
        child.wait()
        raise


def _plugin() -> list[str]:
    """Pytest finds the plugin of an installed labctl itself; that of a bare checkout is named."""
    installed = importlib.metadata.entry_points(group="pytest11", name="labctl")
    return [] if installed else ["-p", "labctl.pytest_plugin"]
