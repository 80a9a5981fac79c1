"""A file's distribution as tables, JSON and images; and what the command line takes."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from labctl.cli import distribution as command
from labctl.errors import UsageError
from labctl.play.distribution.model import Distribution, Rates, Run, Way
from labctl.show.distribution import plot, tables
from labctl.show.distribution.asjson import as_json

SIZE = 5_000_000


def run(way: Way, n: int, **changed: object) -> Run:
    peers = [f"peer-{i + 1}" for i in range(n)]
    source = "server" if way is Way.SERVER else "seed"
    told = Run(
        way=way,
        n=n,
        size=SIZE,
        source=source,
        directory="directory",
        bound=float(n) if way is Way.SERVER else 1.0,
        seconds=dict.fromkeys(peers, 1.5 * n),
        sent={source: n * SIZE, **dict.fromkeys(peers, 1000)},
        received={source: n * 1000, **dict.fromkeys(peers, SIZE)},
        flows={(source, peer): SIZE for peer in peers},
        whole=dict.fromkeys(peers, True),
    )
    return replace(told, **changed)  # type: ignore[arg-type]


RATES = Rates(40e6, 40e6, (40e6,) * 12)
FOUND = Distribution(
    "distribution",
    "$song$.mp3",
    SIZE,
    RATES,
    tuple(run(way, n) for n in (2, 12) for way in Way),
)


def text(table: RenderableType) -> list[str]:
    console = Console(file=io.StringIO(), width=200)
    with console.capture() as captured:
        console.print(table)
    return [" ".join(line.split()) for line in captured.get().splitlines()]


def test_times_stand_beside_their_bounds() -> None:
    lines = text(tables.times(FOUND))
    assert lines[0].startswith("N WAY BOUND LAST HOST MEAN HOST LAST/BOUND SOURCE SENT")
    assert lines[1].startswith("2 P2P 1.00 s 3.00 s 3.00 s 3.00 2.00 x file")
    assert lines[4].startswith("12 client-server 12.00 s 18.00 s 18.00 s 1.50 12.00 x file")
    assert tables.title(FOUND) == "$song$.mp3, 5,000,000 bytes, over links that send 40 Mbit/s"


def test_hosts_stand_in_the_order_of_their_numbers() -> None:
    lines = text(tables.hosts(FOUND.runs[2:]))
    names = [line.split()[0] for line in lines[1:]]
    assert names == ["server", "seed", "directory", *(f"peer-{i}" for i in range(1, 13))]
    assert "60,000,000" in lines[1]


def test_a_matrix_that_is_too_wide_is_left_out() -> None:
    small = tables.matrix(FOUND.runs[0])
    assert small is not None
    assert text(small)[1] == "server . 5.00 5.00"
    assert tables.matrix(FOUND.runs[2]) is None


def test_json_has_all_figures() -> None:
    told = json.loads(json.dumps(as_json(FOUND)))
    assert told["passed"] is True
    assert [(one["way"], one["n"]) for one in told["runs"]][:2] == [
        ("client-server", 2),
        ("P2P", 2),
    ]
    assert told["runs"][0]["flows"][0] == {"from": "server", "to": "peer-1", "bytes": SIZE}
    assert told["rates"]["server"] == 40e6


def test_what_is_wrong_has_its_run() -> None:
    bad = replace(FOUND, runs=(run(Way.PEERS, 2, wrong=("it was slow",)),))
    assert list(tables.wrong(bad)) == ["P2P, N = 2: it was slow"]
    assert not bad.right
    assert as_json(bad)["runs"][0]["wrong"] == ["it was slow"]


def test_images_are_images_and_the_same_each_time() -> None:
    svg = plot.draw(FOUND, "svg")
    assert svg == plot.draw(FOUND, "svg")
    for words in (b"client-server: bound", b"P2P: last host", b"peer-12", b"hosts that want it"):
        assert words in svg
    assert plot.draw(FOUND, "png").startswith(b"\x89PNG")


def test_one_way_alone_can_be_drawn() -> None:
    assert b"<svg" in plot.draw(replace(FOUND, runs=FOUND.runs[:1]), "svg")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("8", [2, 4, 8]),
        ("1", [1]),
        ("3", [1, 3]),
        ("8,", [8]),
        ("5,2,5", [2, 5]),
        ("128", [32, 64, 128]),
    ],
)
def test_which_n_are_measured(told: str, expected: list[int]) -> None:
    assert command.counts(told) == expected


@pytest.mark.parametrize("told", ["0", "-1", "x", "1,,2", "129", "2,0", "", "1.5", "99999"])
def test_what_is_no_number_of_peers(told: str) -> None:
    with pytest.raises(UsageError, match="--peers"):
        command.counts(told)


def test_a_file_of_no_known_form_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing is known of files ending in \.gif"):
        command.require_forms([tmp_path / "x.gif"])
    with pytest.raises(UsageError, match="there is no folder"):
        command.require_forms([tmp_path / "no" / "x.svg"])
