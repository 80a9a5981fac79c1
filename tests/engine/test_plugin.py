"""The pytest plugin on a real engine."""

from __future__ import annotations

import secrets
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import labctl
from labctl.engine import down, live
from labctl.engine.client import Engine
from labctl.lab import new as making

pytest_plugins = "pytester"

LAB = """\
name: {name}
x-lab:
  title: a lab of a test
  scenarios:
    fails: {{steps: [{{host: peer-1, run: "echo spoken; exit 3"}}]}}
services:
  server: &host
    image: labctl-host
    user: "1000:1000"
    cap_drop: [ALL]
    init: true
    networks: [lan, other]
    command: [sh, -c, "echo I am $$(hostname); exec sleep infinity"]
  peer:
    <<: *host
    scale: 2
    networks: [lan]
networks:
  lan: {{internal: true}}
  other: {{internal: true}}
"""


@pytest.fixture
def lab_name(pytester: pytest.Pytester) -> str:
    """The name of a lab written where the tests of this test will be."""
    name = f"t{secrets.token_hex(4)}"
    pytester.makefile(".yaml", compose=LAB.format(name=name))
    return name


def run(pytester: pytest.Pytester, module: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(module)
    installed = entry_points(group="pytest11", name="labctl")
    plugin = [] if installed else ["-p", "labctl.pytest_plugin"]
    return pytester.runpytest_subprocess(*plugin, *options)


def up_now(engine: Engine, lab: str) -> list[str]:
    return [one.name for one in live.labs(engine) if one.lab == lab]


GOOD = """
import ipaddress, re
import pytest
from labctl.errors import UsageError

names = []

def test_the_lab(lab):
    names.append(lab.name)
    assert re.fullmatch(r"{name}-[0-9a-f]{{6}}", lab.name)
    assert lab.hosts == ("peer-1", "peer-2", "server")
    address = ipaddress.ip_address(lab.address("peer-1"))
    assert address in ipaddress.ip_network(lab.subnet("lan"))
    assert lab.address("server", "lan") != lab.address("server", "other")
    with pytest.raises(UsageError):
        lab.address("server")

def test_it_is_the_same_for_the_whole_module(lab):
    assert names == [lab.name]

def test_exec_and_logs(lab):
    done = lab.exec("peer-2", "sh", "-c", "cat; exit 4", stdin=b"given")
    assert (done.code, done.stdout) == (4, b"given")
    assert lab.logs("peer-2") == "I am peer-2\\n"

def test_testinfra(host, lab):
    assert host("server").user().name == host("peer-1").user().name == "student"
    assert host("server", user="root").user().name == "root"
    spaces = {{host(name).file("/proc/1/ns/net").linked_to for name in lab.hosts}}
    assert len(spaces) == 3
"""


def test_a_modules_lab(engine: Engine, pytester: pytest.Pytester, lab_name: str) -> None:
    run(pytester, GOOD.format(name=lab_name)).assert_outcomes(passed=4)
    assert up_now(engine, lab_name) == []


def test_the_first_example_of_the_guide(engine: Engine, pytester: pytest.Pytester) -> None:
    guide = Path(labctl.__file__).parent.parent / "docs" / "pytest.md"
    example = guide.read_text().split("```python\n")[1].partition("```")[0]
    assert len(example.splitlines()) <= 15
    name = f"web{secrets.token_hex(3)}"
    making.new(pytester.path / name, "tcp")
    (pytester.path / name / "test_web.py").write_text(example)
    result = run(pytester, "", f"{name}/test_web.py")
    result.assert_outcomes(passed=example.count("def test_"))
    assert up_now(engine, name) == []


def test_hosts_as_many_as_the_mark_says(
    engine: Engine, pytester: pytest.Pytester, lab_name: str
) -> None:
    module = """
    import pytest
    pytestmark = pytest.mark.lab("./compose.yaml", scale={"peer": 1}, timeout=50)
    def test_it(lab): assert len(lab.hosts) == 2
    """
    run(pytester, module).assert_outcomes(passed=1)


def test_a_failed_test_shows_what_every_host_logged(
    engine: Engine, pytester: pytest.Pytester, lab_name: str
) -> None:
    module = """
    def test_good(lab): pass
    def test_bad(lab): assert lab.run("fails").passed
    """
    result = run(pytester, module, "--junit-xml=junit.xml", "-o", "junit_logging=all")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*Captured log of scenario fails*",
            "*exit code 3, where 0 was expected*",
            "*Captured log of host peer-1*",
            "I am peer-1",
            "*Captured log of host peer-2*",
            "*Captured log of host server*",
            "I am server",
        ]
    )
    assert "I am peer-2" in (pytester.path / "junit.xml").read_text()
    assert up_now(engine, lab_name) == []


def test_a_lab_that_does_not_come_up_is_an_error_of_two_lines(
    engine: Engine, pytester: pytest.Pytester
) -> None:
    name = f"t{secrets.token_hex(4)}"
    broken = LAB.format(name=name).replace("exec sleep infinity", "exit 3")
    pytester.makefile(".yaml", compose=broken)
    result = run(pytester, "def test_it(lab): pass\ndef test_again(lab): pass")
    result.assert_outcomes(errors=2)
    said = result.stdout.str()
    assert "ended with exit code 3" in said and "hint: " in said and "up.py" not in said
    assert up_now(engine, name) == []


def test_a_lab_may_be_kept(engine: Engine, pytester: pytest.Pytester, lab_name: str) -> None:
    result = run(pytester, "def test_it(lab): pass", "--lab-keep")
    (name,) = up_now(engine, lab_name)
    down.down(engine, name)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"lab {name} is still up; `labctl down {name}` takes it down"])
