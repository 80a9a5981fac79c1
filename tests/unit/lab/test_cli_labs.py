"""The commands `list`, `show`, `validate`, `new` and `schema`, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from labctl.cli import labs
from labctl.errors import LabFileError, UsageError
from labctl.lab import schema
from tests.unit.lab.conftest import Write

GOOD = """\
name: shop
x-lab:
  title: A shop
  figure: "6-30"
  about: All [about] it.
  open_networks: {wan: it asks a real bank}
  scenarios:
    buy:
      title: somebody buys
      steps:
        - {name: serve, host: till, run: "serve [all]", background: true}
        - host: buyer-2
          run: [buy, bread]
          when:
            listening: till:80
            file: till:/bread
            output: {step: serve, contains: open}
            ended: serve
            succeeds: {host: till, run: "true"}
          expect: {exit: 3, stdout: thanks}
services:
  till: {networks: [lan, wan]}
  buyer: {scale: 2, networks: [lan]}
  pattern: {scale: 0}
networks: {lan: {internal: true}, wan: {}}
"""
BAD = GOOD.replace("figure", "figur").replace("[lan]", "[lam]")


def run(*arguments: str) -> Result:
    app = typer.Typer()
    labs.register(app)
    return CliRunner().invoke(app, list(arguments))


def test_list(here: Path) -> None:
    for name, text in (("shop", GOOD), ("broken", BAD)):
        (here / "labs" / name).mkdir(parents=True)
        (here / "labs" / name / "compose.yaml").write_text(text)
    lines = {line.split()[0]: line for line in run("list").stdout.splitlines()}
    assert lines["shop"].split() == ["shop", "6-30", "3", "buy", "A", "shop"]
    assert "labs/broken/compose.yaml:4:3: unknown key `figur` in x-lab" in lines["broken"]
    assert "default" in lines
    listed = {one["name"]: one for one in json.loads(run("list", "--json").stdout)}
    assert listed["shop"]["title"] == "A shop"
    assert listed["shop"]["problem"] is None
    assert listed["broken"]["hosts"] is None
    assert listed["broken"]["problem"].startswith("labs/broken/compose.yaml:4:3")


def test_show(write: Write) -> None:
    write(GOOD)
    text = run("show").stdout
    assert "shop: A shop (figure 6-30)" in text
    assert "All [about] it." in text
    lines = [line.split() for line in text.splitlines()]
    assert ["buyer", "2", "lan", "host"] in lines
    assert ["pattern", "0", "template"] in lines
    assert ["lan", "till", "buyer-1", "buyer-2", "no"] in lines
    assert ["wan", "till", "it", "asks", "a", "real", "bank"] in lines
    assert "scenario buy: somebody buys" in text
    assert "1 serve  till     serve [all] &" in text
    assert (
        'till:80 listens and till:/bread is there and serve has printed "open" and serve has '
        "ended and `true` succeeds on till" in " ".join(text.split())
    )
    assert 'exit 3 and "thanks"' in text


def test_show_json(write: Write) -> None:
    path = write(GOOD)
    shown = json.loads(run("show", "--json").stdout)
    assert shown["file"] == str(path)
    assert shown["networks"] == {"lan": ["till", "buyer"], "wan": ["till"]}
    assert shown["hosts"]["pattern"]["template"] is True
    assert shown["scenarios"]["buy"]["steps"][1]["expect"] == {"exit": 3, "stdout": "thanks"}


def test_show_of_a_broken_lab_raises(write: Write) -> None:
    write(BAD)
    assert isinstance(run("show").exception, LabFileError)


def test_validate_a_right_file(write: Write) -> None:
    write(GOOD)
    result = run("validate")
    assert result.exit_code == 0
    assert result.stdout == "compose.yaml: ok (3 hosts, 2 networks, 1 scenario)\n"


def test_validate_prints_every_problem_and_ends_with_2(write: Write) -> None:
    write(BAD)
    result = run("validate", ".")
    assert result.exit_code == 2
    assert result.stdout.splitlines() == [
        "compose.yaml:4:3: unknown key `figur` in x-lab",
        "    did you mean `figure`?",
        "compose.yaml:23:32: host buyer joins the network `lam`, which is not defined",
        "    did you mean `lan`?",
    ]


def test_validate_json(write: Write) -> None:
    write(BAD)
    result = run("validate", "--json")
    assert result.exit_code == 2
    (checked,) = json.loads(result.stdout)
    assert checked["ok"] is False
    assert checked["problems"][0] == {
        "line": 4,
        "column": 3,
        "message": "unknown key `figur` in x-lab",
        "hint": "did you mean `figure`?",
    }


def test_validate_all_checks_every_known_lab(here: Path) -> None:
    result = run("validate", "--all")
    assert result.exit_code == 0
    assert len([line for line in result.stdout.splitlines() if ": ok (" in line]) >= 3


def test_validate_an_unknown_lab_raises(here: Path) -> None:
    assert isinstance(run("validate", "napstr").exception, UsageError)


@pytest.mark.parametrize("options", [[], ["--template", "routed"]])
def test_new_makes_a_lab_that_validates(here: Path, options: list[str]) -> None:
    result = run("new", "mine", *options)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "next: cd mine && labctl up && labctl run download"
    assert "mine/compose.yaml" in result.stdout.splitlines()
    assert run("validate", "mine").exit_code == 0


def test_schema_prints_the_schema() -> None:
    assert run("schema").stdout == schema.text()


def test_completion_offers_labs_that_begin_so(here: Path) -> None:
    assert "napster" in labs.complete_lab("nap")
    assert "tcp" not in labs.complete_lab("nap")
