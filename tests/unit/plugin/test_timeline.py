"""The fixture `timeline`: whose scenario is played, how often, and what a failed test reports."""

from __future__ import annotations

import pytest

from labctl.errors import CheckFailed
from labctl.play.seen import SeenTimeline
from tests.unit.plugin.test_fixtures import args
from tests.unit.sequence.exchanges import exchange

pytest_plugins = "pytester"

LAB = """\
x-lab:
  title: a lab
  scenarios:
    download: {steps: [{host: server, run: x}]}
    refused: {steps: [{host: server, run: x}]}
services:
  server: {image: labctl-host, networks: [net]}
networks:
  net: {internal: true}
"""
GOOD = "{'server': 'socket bind listen accept recv+ send+ close'}"
BAD = "{'server': 'socket listen accept recv+ send+ close'}"


class Plays:
    """Stands for the engine: gives the timeline of a made recording, and notes what is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.fails = False

    def see(self, _engine: object, _lab: object, scenario: str, tracer: str) -> SeenTimeline:
        self.asked.append((scenario, tracer))
        if self.fails:
            raise CheckFailed("scenario download: step x on host server failed: why", "do this")
        timeline = SeenTimeline.of(exchange())
        timeline.failed = []
        return timeline


@pytest.fixture
def plays(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Plays:
    made = Plays()
    monkeypatch.setattr("labctl.play.seen.see", made.see)
    pytester.makeconftest(
        "import pytest\n@pytest.fixture(scope='session')\ndef _labctl_engine(): return None\n"
    )
    pytester.makefile(".yaml", compose=LAB)
    return made


def module(*tests: tuple[str, str]) -> str:
    """Return a module with tests of marks and patterns."""
    head = "import pytest\n"
    return head + "".join(
        f"{mark}\ndef test_{number}(timeline):\n    assert timeline.matches({pattern})\n"
        for number, (mark, pattern) in enumerate(tests)
    )


DOWNLOAD = "@pytest.mark.scenario('download')"


def test_tests_of_one_scenario_share_one_play(pytester: pytest.Pytester, plays: Plays) -> None:
    pytester.makepyfile(
        module(
            (DOWNLOAD, GOOD),
            ("@pytest.mark.scenario('refused')", GOOD),
            ("@pytest.mark.scenario(name='download', tracer='strace')", GOOD),
            (DOWNLOAD, "{'client': 'socket connect send recv+ recv=0 close'}"),
        )
    )
    pytester.runpytest(*args(), "--strict-markers").assert_outcomes(passed=4)
    assert plays.asked == [("download", "auto"), ("refused", "auto"), ("download", "strace")]


def test_another_module_has_a_play_of_its_own(pytester: pytest.Pytester, plays: Plays) -> None:
    pytester.makepyfile(test_a=module((DOWNLOAD, GOOD)), test_b=module((DOWNLOAD, GOOD)))
    pytester.runpytest(*args()).assert_outcomes(passed=2)
    assert plays.asked == [("download", "auto")] * 2


def test_the_report_of_a_failed_test_has_both_sequences(
    pytester: pytest.Pytester, plays: Plays
) -> None:
    pytester.makepyfile(module((DOWNLOAD, BAD), (DOWNLOAD, GOOD)))
    result = pytester.runpytest(*args())
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            "*what was wanted, and what happened*",
            "not as the pattern says: 1 of 1 connection",
            "server, connection 1: client 10.0.0.1:40000 -> server 10.0.0.2:80, *",
            "    wanted * server did",
            "  > listen * bind 0.0.0.0:80 *",
            "  server: listen was due, but bind 0.0.0.0:80 came.",
        ]
    )


def test_a_verdict_that_a_test_wants_to_be_false_is_in_no_report(
    pytester: pytest.Pytester, plays: Plays
) -> None:
    pytester.makepyfile(
        module((DOWNLOAD, GOOD)).replace("assert", f"assert not timeline.matches({BAD}) and")
        + f"{DOWNLOAD}\ndef test_other(timeline): assert False\n"
    )
    result = pytester.runpytest(*args())
    result.assert_outcomes(passed=1, failed=1)
    assert "what was wanted" not in result.stdout.str()


def test_a_pattern_that_is_wrong_fails(pytester: pytest.Pytester, plays: Plays) -> None:
    pytester.makepyfile(module((DOWNLOAD, "{'server': 'acept'}"), (DOWNLOAD, "{'x': 'accept'}")))
    result = pytester.runpytest(*args())
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "*PatternError: server: unknown verb `acept` (did you mean `accept`?)",
            "*PatternError: x: no host `x` was observed (hosts: client, server)",
        ]
    )


WRONG = [
    ("", "lab * has several scenarios: download, refused", "Name the one to play."),
    ("@pytest.mark.scenario('downlod')", "*no scenario `downlod`*", "*did you mean `download`?"),
    (
        "@pytest.mark.scenario('download', tracr='x')",
        "*the mark `scenario` is not as*",
        "*tracers:*",
    ),
    ("@pytest.mark.scenario('download', tracer='x')", "*the mark `scenario` is not*", "*tracers:*"),
    ("@pytest.mark.scenario(5)", "*the mark `scenario` is not as it must be*", "*tracers:*"),
    ("@pytest.mark.scenario('download', 'auto')", "*the mark `scenario` is not as*", "*tracers:*"),
]


def test_a_scenario_that_is_not_there_is_an_error_of_two_lines(
    pytester: pytest.Pytester, plays: Plays
) -> None:
    pytester.makepyfile(module(*((mark, GOOD) for mark, _, _ in WRONG)))
    result = pytester.runpytest(*args())
    result.assert_outcomes(errors=len(WRONG))
    for _, said, hint in WRONG:
        result.stdout.fnmatch_lines([said, f"hint: {hint}"])
    for word in ("Traceback", "During handling"):
        assert word not in result.stdout.str()
    assert plays.asked == []


def test_a_step_that_fails_is_an_error_of_two_lines(
    pytester: pytest.Pytester, plays: Plays
) -> None:
    plays.fails = True
    pytester.makepyfile(module((DOWNLOAD, GOOD)))
    result = pytester.runpytest(*args())
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["scenario download: step x on host server failed: why", "hint: do this"]
    )


def test_the_mark_is_declared(pytester: pytest.Pytester) -> None:
    pytester.runpytest(*args(), "--markers").stdout.fnmatch_lines(["@pytest.mark.scenario(name, *"])


def test_no_engine_is_an_error_of_two_lines(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    pytester.makefile(".yaml", compose=LAB)
    pytester.makepyfile(module((DOWNLOAD, GOOD)))
    result = pytester.runpytest(*args())
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["no Docker engine is running at unix:///nonexistent/docker.sock", "hint: Start it*"]
    )
