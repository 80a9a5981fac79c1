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

from labctl.errors import CheckFailed, MachineError, UsageError
from labctl.lab.lab import Lab
from labctl.lab.load import load
from labctl.play import junit
from labctl.play.junit import Outcome

_NO_TESTS = 5
"""Pytest's exit code when it found none (pytest.ExitCode)."""

_HOW_TO_WRITE = (
    "The tests of lab NAME are functions `test_...(lab)` in test_NAME.py beside its compose.yaml; "
    "`labctl new` makes a lab with tests."
)


@dataclass(frozen=True)
class Tests:
    """A lab and the file of its tests."""

    lab: str
    file: Path


@dataclass(frozen=True)
class How:
    """Where JUnit XML goes, which tests run (as pytest's -k), whether labs stay up, whether
    pytest's own output goes to standard error."""

    junit: Path | None = None
    only: str | None = None
    keep: bool = False
    quiet: bool = False


def lab_tests(lab_file: Path) -> Tests:
    """Return the tests of a lab, in test_<lab>.py beside its file (`-` may be `_` there).

    Raises LabFileError when the lab file is wrong, UsageError when there are no tests.
    """
    lab = load(lab_file)
    found = _tests(lab)
    if found is None:
        raise UsageError(
            f"lab {lab.name} has no tests: there is no test_{lab.name}.py beside {lab.path}",
            _HOW_TO_WRITE,
        )
    return found


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


def verify(wanted: Sequence[Tests], how: How) -> list[Outcome]:
    """Run the tests of all labs in one pytest; return the outcome of each lab.

    Raises UsageError when no test matches `only`, MachineError when pytest cannot run,
    KeyboardInterrupt when it is interrupted; the labs have been taken down then.
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
    if how.junit is not None:
        _write(how.junit, xml)
    empty = [outcome.lab for outcome in outcomes if not outcome.tests]
    if empty and not how.only:
        raise UsageError(
            f"no test ran for {', '.join(empty)}", "A test's name begins with `test_`."
        )
    if code != 0 and not any(outcome.failed for outcome in outcomes):
        raise CheckFailed(f"pytest ended with exit code {code}", "Its words above tell why.")
    return outcomes


def _write(file: Path, xml: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(xml, encoding="utf-8")
    except OSError as error:
        raise MachineError(
            f"cannot write {file}: {error.strerror}", "Name another file with --junit."
        ) from error


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
