"""Which lab `labctl down` takes down."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from labctl.cli import down


@pytest.mark.parametrize(
    ("words", "variable", "wanted"),
    [
        ([], None, [None]),
        (["--name", "a"], None, ["a"]),
        ([], "a", [None]),  # `find` knows the variable
        (["b", "c"], "a", ["b", "c"]),
    ],
)
def test_a_lab_may_be_named_in_each_way(
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    variable: str | None,
    wanted: list[str | None],
) -> None:
    asked: list[str | None] = []

    def find(_: object, name: str | None) -> SimpleNamespace:
        asked.append(name)
        return SimpleNamespace(name=name or "the only one")

    monkeypatch.setattr(down, "connect", lambda: None)
    monkeypatch.setattr("labctl.engine.live.find", find)
    gone = SimpleNamespace(containers=1, networks=1)
    monkeypatch.setattr("labctl.engine.down.down", lambda *_: gone)
    app = typer.Typer()
    app.command("down")(down.down)
    env = {"LABCTL_NAME": variable}
    result = CliRunner().invoke(app, [*words, "--json"], env=env)
    assert (result.exit_code, asked) == (0, wanted), result.output
