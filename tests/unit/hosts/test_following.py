"""Where a path leads, one part at a time."""

from __future__ import annotations

import pytest

from labctl.engine.following import Seen, follow

FOLDER, FILE = Seen(True, 0), Seen(False, 7)
THERE = {
    "/": FOLDER,
    "/data": FOLDER,
    "/data/deep": FOLDER,
    "/data/deep/file": FILE,
    "/absolute": Seen(False, 0, "/data/deep"),
    "/data/relative": Seen(False, 0, "deep"),
    "/data/deep/up": Seen(False, 0, "../../absolute/file"),
    "/lost": Seen(False, 0, "/nowhere"),
    "/ring": Seen(False, 0, "ring"),
}


@pytest.mark.parametrize(
    ("path", "leads"),
    [
        ("/", "/"),
        ("/data/deep/file", "/data/deep/file"),
        ("/absolute/file", "/data/deep/file"),
        ("/data/relative/file", "/data/deep/file"),
        ("/data/relative/up", "/data/deep/file"),
        ("/absolute", "/data/deep"),
        ("//data", "/data"),
    ],
)
def test_links_anywhere_on_the_way_are_followed(path: str, leads: str) -> None:
    assert follow(path, THERE.get) == (leads, THERE[leads])


@pytest.mark.parametrize("path", ["/none", "/none/file", "/lost/file", "/ring", "/ring/file"])
def test_what_is_not_there_leads_nowhere(path: str) -> None:
    assert follow(path, THERE.get) is None


def test_each_part_on_the_way_is_looked_at() -> None:
    asked: list[str] = []

    def look(path: str) -> Seen | None:
        asked.append(path)
        return THERE.get(path)

    follow("/absolute/file", look)
    assert asked == ["/", "/absolute", "/data", "/data/deep", "/data/deep/file"]
