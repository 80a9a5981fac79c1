"""The tree of main processes and subordinates (figure 6-29), as text and as JSON."""

from __future__ import annotations

from dataclasses import replace

from labctl.observe.sockets.model import Process, Snapshot, SocketAddress
from labctl.observe.sockets.tree import grown
from labctl.show.sockets import tree

from . import made

NAMES = {"10.0.0.2": "client"}
FORKED = """\
┌ M  process 7: web ──────────────┐
│  3  LISTEN       0.0.0.0:80     │◀── 1 of 5 wait for accept
└┬────────────────────────────────┘
 │  ┌ S1  process 8: web ──────────┐
 ├─▶│  4  ESTABLISHED  10.0.0.1:80 │◀─▶ client 10.0.0.2:4000
 │  └──────────────────────────────┘
 │  ┌ S2  process 9: web ──────────┐
 └─▶│  4  ESTABLISHED  10.0.0.1:80 │◀─▶ 10.0.0.9:4001
    └──────────────────────────────┘"""


def subordinate(pid: int, inode: int) -> Process:
    one = made.process(pid, inode, parent=7)
    return replace(one, descriptors=tuple(replace(d, fd=4) for d in one.descriptors if d.inode))


OTHER = replace(made.ACCEPTED, inode=36, cookie=3, remote=SocketAddress("10.0.0.9", 4001))
INIT = replace(made.process(1, parent=0), name="init", command=("init",))
SERVING = made.snapshot(
    (INIT, made.process(7, 34), subordinate(8, 35), subordinate(9, 36)),
    *(made.LISTENING, made.ACCEPTED, OTHER),
)


def drawn(snapshot: Snapshot, width: int = 100, process: str | None = None) -> list[str]:
    lines = tree.draw(snapshot, grown(snapshot, process), NAMES, width)
    return [line.plain for line in lines]


def test_m_stands_above_its_subordinates() -> None:
    assert "\n".join(drawn(SERVING)) == FORKED


def test_nothing_is_wider_than_the_terminal() -> None:
    assert {len(line) <= 40 for line in drawn(SERVING, 40)} == {True}


def test_a_zombie_is_told() -> None:
    gone = replace(made.process(8, parent=7), state="Z", descriptors=())
    snapshot = made.snapshot((made.process(7, 34), gone), made.LISTENING)
    assert any(
        "zombie: it has ended, its parent has not waited" in line for line in drawn(snapshot)
    )


def test_a_server_alone_has_no_role() -> None:
    snapshot = made.snapshot((made.process(7, 34, 35),), made.LISTENING, made.ACCEPTED)
    assert drawn(snapshot)[0].startswith("┌ process 7: web ─")
    assert len(drawn(snapshot)) == 4


def test_one_that_runs_another_program_is_no_subordinate() -> None:
    child = replace(made.process(8, 35, parent=7), name="cgi")
    snapshot = made.snapshot((made.process(7, 34), child), made.LISTENING, made.ACCEPTED)
    assert [branch.role for branch in grown(snapshot)] == [""]
    assert [branch.role for branch in grown(snapshot)[0].children] == [""]


def test_two_hundred_are_counted() -> None:
    many = [replace(subordinate(100 + n, 34), parent=7) for n in range(200)]
    lines = drawn(made.snapshot((made.process(7, 34), *many), made.LISTENING))
    assert lines[-1] == " └─▶ 188 more"
    assert sum("S12 " in line for line in lines) == 1
    assert not any("S13 " in line for line in lines)


def test_one_process_can_be_chosen() -> None:
    assert drawn(SERVING, process="9")[0].startswith("┌ process 9: web")
    assert "\n".join(drawn(SERVING, process="web")) == FORKED


def test_without_sockets_it_says_so() -> None:
    assert drawn(made.snapshot((INIT,))) == ["no process of host server has a socket"]


def test_json_has_the_tree() -> None:
    told = tree.as_json(SERVING, grown(SERVING), NAMES)
    (top,) = told["processes"]
    assert (top["pid"], top["role"], top["sockets"][0]["state"]) == (7, "M", "LISTEN")
    assert [(one["pid"], one["role"]) for one in top["children"]] == [(8, "S1"), (9, "S2")]
    assert [one["sockets"][0]["client"] for one in top["children"]] == ["client", None]
