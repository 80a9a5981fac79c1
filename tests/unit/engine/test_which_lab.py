"""Which of the labs that are up is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labctl.engine import labels, live
from labctl.engine.live import LiveHost, LiveLab, State
from labctl.errors import UsageError

ENGINE: Any = None


def lab(name: str, state: State = State.READY, *, fresh: bool = False) -> LiveLab:
    host = LiveHost("h", name, f"{name}-h", "1f", "labctl-host", "running", "Up", {})
    return LiveLab(name, "talk", Path(f"/labs/{name}/compose.yaml"), state, (host,), {}, fresh)


@pytest.fixture(autouse=True)
def up(monkeypatch: pytest.MonkeyPatch) -> list[LiveLab]:
    there = [lab("a"), lab("b")]
    monkeypatch.delenv(live.VARIABLE, raising=False)
    monkeypatch.setattr(live, "labs", lambda _: there)
    return there


def test_the_variable_names_a_lab_where_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="several labs are up: a, b"):
        live.find(ENGINE, None)
    monkeypatch.setenv(live.VARIABLE, "b")
    assert live.find(ENGINE, None).name == "b"
    assert live.find_host(ENGINE, "h", None).lab_name == "b"
    assert live.find(ENGINE, "a").name == "a"
    assert live.find_host(ENGINE, "a/h", None).lab_name == "a"


def test_a_variable_that_names_no_lab_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(live.VARIABLE, "c")
    with pytest.raises(UsageError, match="under the name c, which LABCTL_NAME has"):
        live.find(ENGINE, None)


def test_an_empty_variable_names_none(up: list[LiveLab], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(live.VARIABLE, "")
    del up[1]
    assert live.find(ENGINE, None).name == "a"


@pytest.mark.parametrize("state", [State.COMING, State.READY])
def test_copies_of_others_are_not_meant(up: list[LiveLab], state: State) -> None:
    up[:] = [lab("a"), lab("talk-1f2e", state, fresh=True)]
    assert live.find(ENGINE, None).name == "a"
    del up[0]
    with pytest.raises(UsageError, match="no lab is up"):
        live.find(ENGINE, None)


@pytest.mark.parametrize("fresh", [True, False])
def test_all_that_is_of_a_copy_says_that_it_is_one(fresh: bool) -> None:
    origin = labels.Origin("talk-1f2e", "talk", Path("/labs/talk/compose.yaml"), fresh)
    for told in (
        labels.for_host(origin, "h"),
        labels.for_network(origin, "lan"),
        labels.for_lab(origin),
        labels.for_marker(origin),
    ):
        assert (labels.FRESH in told) == fresh


def test_an_empty_name_is_one_that_no_lab_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(live.VARIABLE, "a")
    with pytest.raises(UsageError, match="no lab is up under the name"):
        live.find(ENGINE, "")
