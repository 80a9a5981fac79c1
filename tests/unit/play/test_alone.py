"""A command on a host as a scenario of one step."""

from __future__ import annotations

import pytest

from labctl.errors import UsageError
from labctl.play.alone import alone


@pytest.mark.parametrize(
    ("command", "title"),
    [
        (["curl", "server"], "curl server, on client"),
        (["sh", "-c", "echo a b"], "sh -c 'echo a b', on client"),
        (["sh", "-c", "\n  echo a\n  echo b\n"], "sh -c ' echo a echo b ', on client"),
        (["echo", "x" * 200], f"echo {'x' * 114}…, on client"),
    ],
)
def test_its_title_is_the_command_as_it_was_typed(command: list[str], title: str) -> None:
    scenario = alone("client", command)
    assert scenario.title == title
    (step,) = scenario.steps
    assert (step.host, step.run) == ("client", command)


def test_nothing_is_no_command() -> None:
    with pytest.raises(UsageError, match="no command after --"):
        alone("client", [])
