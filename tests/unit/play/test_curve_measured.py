"""A curve that is cut short: what came until then is kept, and what ended it is told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from labctl.errors import CheckFailed, LabctlError, MachineError
from labctl.play import curve
from labctl.play.curve import Measured, Point, measure
from tests.unit.play.conftest import LocalHosts

HEAD = {"title": "somebody asks", "of": "questions"}
ROWS = [
    {"load": load, "asked": 20, "answered": 20, "per_second": load, "p50": 0.01, "p99": 0.02}
    for load in (10, 20)
]
LINES = "\n".join(map(json.dumps, [HEAD, *ROWS]))
GOES_ON = f"echo '{LINES}'; exec sleep 999"
PATIENCE = 60.0


def measured(
    hosts: LocalHosts,
    script: str,
    told: Callable[[Point], None] = lambda point: None,
    timeout: float | None = PATIENCE,
) -> Measured:
    return measure(hosts, "a", ["sh", "-c", script], told, timeout)


def loads(found: Measured) -> list[float]:
    return [point.load for point in found.curve.points]


def test_one_that_ends_well_is_whole(hosts: LocalHosts) -> None:
    points: list[Point] = []
    found = measured(hosts, f"echo '{LINES}'", points.append)
    assert found.whole
    assert loads(found) == [10, 20] == [point.load for point in points]


def test_one_that_takes_too_long(hosts: LocalHosts, monkeypatch: pytest.MonkeyPatch) -> None:
    later = 0.0

    def time_is_over(point: Point) -> None:
        nonlocal later
        later = PATIENCE if point.load == 20 else 0.0

    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + later, sleep=time.sleep)
    monkeypatch.setattr(curve, "time", clock)
    found = measured(hosts, GOES_ON, time_is_over)
    assert loads(found) == [10, 20]
    assert isinstance(found.wrong, CheckFailed)
    assert found.wrong.message == "`sh` on host a did not end within 60 s"


def test_an_interrupted_one(hosts: LocalHosts) -> None:
    def interrupt(point: Point) -> None:
        if point.load == 20:
            raise KeyboardInterrupt

    found = measured(hosts, GOES_ON, interrupt)
    assert (loads(found), found.wrong, found.interrupted) == ([10, 20], None, True)


def test_one_whose_host_ends(hosts: LocalHosts) -> None:
    def end(point: Point) -> None:
        if point.load == 20:
            hosts.dead.add("a")
            hosts.started[0].kill()

    found = measured(hosts, GOES_ON, end)
    assert loads(found) == [10, 20]
    assert isinstance(found.wrong, MachineError)
    assert "host a ended" in found.wrong.message


def test_one_that_fails_within_a_line(hosts: LocalHosts) -> None:
    found = measured(hosts, f"echo '{LINES}'; printf '{{\"load\": 3'; echo gone >&2; exit 1")
    assert loads(found) == [10, 20]
    assert found.wrong is not None
    assert found.wrong.message == "`sh` on host a has failed: gone"


@pytest.mark.parametrize(
    ("script", "kind", "said"),
    [
        ("exec sleep 999", CheckFailed, "did not end within 0.5 s"),
        ("echo gone >&2; exit 1", CheckFailed, "has failed: gone"),
        ("exit 3", CheckFailed, "has failed: it ended with 3"),
        ("true", CheckFailed, "has told no curve"),
        (f"echo '{LINES}'; echo nonsense", CheckFailed, "line 4 is no part of a curve"),
    ],
)
def test_without_a_curve_the_reason_is_all_there_is(
    hosts: LocalHosts, script: str, kind: type[LabctlError], said: str
) -> None:
    with pytest.raises(kind, match=said):
        measured(hosts, script, timeout=0.5 if "999" in script else PATIENCE)
