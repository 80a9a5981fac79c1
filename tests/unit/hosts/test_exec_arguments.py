"""Where the command of `labctl exec` begins, and how lines of logs are shown."""

from __future__ import annotations

import pytest

from labctl.cli.hosts import fenced
from labctl.engine.attached import exit_code, options
from labctl.engine.logs import Line
from labctl.show.loglines import Style

VALUED = {"--user", "-u", "--env", "-e", "--workdir", "-w", "--name", "-n"}


@pytest.mark.parametrize(
    ("told", "at"),
    [
        ("h ls", 1),
        ("h ls -l", 1),
        ("h -u root ls -u", 3),
        ("-u root h ls -l", 3),
        ("-uroot h ls -l", 2),
        ("--user=root h ls", 2),
        ("--user root h ls", 3),
        ("-Tu root h -T ls -T", 4),
        ("-Turoot h ls", 2),
        ("-e A=1 -e B=2 h env -e", 5),
        ("h - x", 1),
        ("h ls -- -l", 1),
    ],
)
def test_a_fence_is_put_before_the_command(told: str, at: int) -> None:
    words = told.split()
    assert fenced(words, VALUED) == [*words[:at], "--", *words[at:]]


@pytest.mark.parametrize("told", ["", "h", "-u root h", "h -- ls -u x", "-- h ls", "--help", "-u"])
def test_what_is_fenced_or_has_no_command_stays(told: str) -> None:
    assert fenced(told.split(), VALUED) == told.split()


def test_options_of_docker_exec() -> None:
    assert options(None, None, None) == []
    assert options("root", {"A": "1", "B": "x y"}, "/tmp") == [
        *("--user", "root", "--env", "A=1", "--env", "B=x y", "--workdir", "/tmp")
    ]


@pytest.mark.parametrize(("returncode", "code"), [(0, 0), (7, 7), (-2, 130), (-9, 137)])
def test_exit_codes_are_as_in_a_shell(returncode: int, code: int) -> None:
    assert exit_code(returncode) == code


LINE = Line("b", "2026-11-23T15:47:36.306894833Z", "hello [red] world")


def test_lines_have_the_hosts_in_a_column() -> None:
    assert Style(["alpha", "b"]).render(LINE) == "b     | hello [red] world"
    stamped = Style(["b"], timestamps=True).render(LINE)
    assert stamped == "b | 2026-11-23T15:47:36.306894833Z hello [red] world"


def test_each_host_has_a_colour_of_its_own() -> None:
    style = Style(["alpha", "b"], timestamps=True, coloured=True)
    shown = style.render(LINE)
    assert shown.startswith("\x1b[33mb     | \x1b[0m\x1b[2m2026-")
    assert shown.endswith("hello [red] world")
    assert style.render(Line("alpha", "t", "x")).startswith("\x1b[36malpha")


def test_more_hosts_than_colours() -> None:
    names = [f"h{i}" for i in range(100)]
    assert Style(names, coloured=True).render(Line("h99", "t", "x")).endswith("| \x1b[0mx")
