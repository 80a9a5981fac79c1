"""What the plugin does where there is no engine."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = "pytester"

LAB = """\
x-lab: {title: a lab}
services:
  server: {image: labctl-host, networks: [net]}
networks:
  net: {internal: true}
"""
USES_HOST = """\
def test_it(host):
    assert callable(host)
"""


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")


def args() -> list[str]:
    from importlib.metadata import entry_points

    installed = entry_points(group="pytest11", name="labctl")
    return [] if installed else ["-p", "labctl.pytest_plugin"]


def test_no_engine_is_an_error_of_two_lines(pytester: pytest.Pytester, no_engine: None) -> None:
    pytester.makefile(".yaml", compose=LAB)
    pytester.makepyfile("def test_it(lab): pass")
    result = pytester.runpytest(*args())
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at setup of test_it*",
            "no Docker engine is running at unix:///nonexistent/docker.sock",
            "hint: Start it*",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    assert "client.py" not in result.stdout.str()


def test_the_mark_is_declared(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import pytest\npytestmark = pytest.mark.lab('tcp')\ndef test_it(): pass")
    pytester.runpytest(*args(), "--strict-markers").assert_outcomes(passed=1)
    pytester.runpytest(*args(), "--markers").stdout.fnmatch_lines(["@pytest.mark.lab(lab, *"])


WITHOUT_ENGINE = """\
import pytest
@pytest.fixture(scope="session")
def engine():
    return None
"""


def failure(pytester: pytest.Pytester, module: str) -> str:
    pytester.makeconftest(WITHOUT_ENGINE)
    pytester.makepyfile(module)
    result = pytester.runpytest(*args())
    result.assert_outcomes(errors=1)
    return result.stdout.str()


def test_a_module_without_any_lab(pytester: pytest.Pytester) -> None:
    said = failure(pytester, "def test_it(lab): pass")
    assert "there is no compose.yaml beside it, and it names no lab" in said
    assert 'hint: Name one: pytestmark = pytest.mark.lab("name or path").' in said


def test_a_lab_that_does_not_exist(pytester: pytest.Pytester) -> None:
    said = failure(
        pytester, "import pytest\npytestmark = pytest.mark.lab('tpc')\ndef test_it(lab): pass"
    )
    assert "there is no lab `tpc`" in said and "did you mean `tcp`?" in said


def test_a_mark_with_an_unknown_word(pytester: pytest.Pytester) -> None:
    said = failure(
        pytester,
        "import pytest\npytestmark = pytest.mark.lab('tcp', scales={})\ndef test_it(lab): pass",
    )
    assert "the mark `lab` is not as it must be" in said


def test_a_mark_on_a_test(pytester: pytest.Pytester) -> None:
    said = failure(pytester, "import pytest\n@pytest.mark.lab('tcp')\ndef test_it(lab): pass")
    assert "the mark `lab` is on a test, but a lab is the whole module's" in said


def test_a_lab_file_that_is_wrong(pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", compose=LAB.replace("title", "tittle"))
    said = failure(pytester, "def test_it(lab): pass")
    assert "compose.yaml:1:" in said and "unknown key `tittle`" in said


GIVES_A_LAB = (
    WITHOUT_ENGINE
    + """\
class Lab:
    def testinfra(self, name): return f"testinfra host {name}"
@pytest.fixture(scope="module")
def lab(): return Lab()
"""
)


@pytest.fixture
def with_lab(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(GIVES_A_LAB)
    return pytester


OURS = "def test_it(host): assert host('server') == 'testinfra host server'\n"
THEIRS = "def test_it(host): assert host.check_output('echo hi') == 'hi'\n"


def test_host_is_ours_beside_a_lab(with_lab: pytest.Pytester) -> None:
    with_lab.makefile(".yaml", compose=LAB)
    with_lab.makepyfile(OURS)
    with_lab.runpytest(*args()).assert_outcomes(passed=1)


def test_host_is_ours_in_a_marked_module(with_lab: pytest.Pytester) -> None:
    head = "import pytest\npytestmark = pytest.mark.lab('tcp')\n"
    with_lab.makepyfile(head + "class TestIt:\n    " + OURS.replace("(host)", "(self, host)"))
    with_lab.runpytest(*args()).assert_outcomes(passed=1)


def test_host_is_testinfras_everywhere_else(with_lab: pytest.Pytester) -> None:
    with_lab.makefile(".yaml", compose="services: {web: {image: nginx}}")
    with_lab.makepyfile(THEIRS)
    with_lab.runpytest(*args(), "--hosts=local://").assert_outcomes(passed=1)


def test_both_in_one_run(with_lab: pytest.Pytester) -> None:
    head = "import pytest\npytestmark = pytest.mark.lab('tcp')\n"
    with_lab.makepyfile(test_a=THEIRS, test_b=head + OURS, test_c=THEIRS)
    with_lab.runpytest(*args(), "--hosts=local://").assert_outcomes(passed=3)


def test_a_host_of_the_modules_own_wins(with_lab: pytest.Pytester) -> None:
    with_lab.makefile(".yaml", compose=LAB)
    with_lab.makepyfile(
        "import pytest\n@pytest.fixture\ndef host(): return 7\ndef test_it(host): assert host == 7"
    )
    with_lab.runpytest(*args()).assert_outcomes(passed=1)


def test_a_host_of_a_conftest_wins(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(GIVES_A_LAB + "@pytest.fixture\ndef host(): return 7")
    pytester.makefile(".yaml", compose=LAB)
    pytester.makepyfile("def test_it(host): assert host == 7")
    pytester.runpytest(*args()).assert_outcomes(passed=1)


def test_without_testinfras_plugin(with_lab: pytest.Pytester) -> None:
    with_lab.makefile(".yaml", compose=LAB)
    with_lab.makepyfile(OURS)
    with_lab.runpytest(*args(), "-p", "no:pytest11.testinfra").assert_outcomes(passed=1)


def test_it_loads_nothing_heavy() -> None:
    code = "import sys, pytest; old = set(sys.modules); import labctl.pytest_plugin; "
    code += "print(*sorted(set(sys.modules) - old))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["labctl", "labctl.pytest_plugin"]
