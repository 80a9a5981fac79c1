"""Parts of the peer by themselves: turns, the order of holders, progress, round trips."""

from __future__ import annotations

import socket
import threading
from itertools import pairwise

import pytest
import turns
from holders import Holder, ordered, without
from hypothesis import given
from hypothesis import strategies as st
from messages import File
from progress import Progress, bar, progress_line
from roundtrip import measure, text
from turns import Turns


def holder(nick: str, size: int = 1, round_trip: float | None = None) -> Holder:
    return Holder(nick, "10.0.0.1", File("s", "0" * 32, size), round_trip)


HOLDERS = st.lists(
    st.builds(
        holder,
        st.sampled_from("abcdefgh"),
        st.integers(1, 3),
        st.one_of(st.none(), st.floats(0, 1)),
    ),
    max_size=12,
)


@given(HOLDERS, st.booleans())
def test_those_with_the_same_content_stand_together(row: list[Holder], nearest: bool) -> None:
    found = ordered(row, nearest=nearest)
    assert sorted(found, key=str) == sorted(row, key=str)
    contents = [one.content for one in found]
    changes = sum(one != other for one, other in pairwise(contents))
    assert changes == max(len(set(contents)) - 1, 0)


def test_the_nearest_comes_first_and_who_gave_no_answer_last() -> None:
    row = [holder("a"), holder("b", round_trip=0.2), holder("c", round_trip=0.1)]
    assert [one.nick for one in ordered(row, nearest=True)] == ["c", "b", "a"]
    assert [one.nick for one in without(row, {"b"}, None)] == ["a", "c"]
    assert [one.nick for one in without([holder("A")], set(), "a")] == ["A"]


def test_turns_go_to_those_who_came_first() -> None:
    queue = Turns(1)
    begun: list[int] = []
    places: list[int] = []
    pairs = [socket.socketpair() for _ in range(3)]
    waits = threading.Semaphore(0)
    ended = []

    def come(number: int) -> None:
        def waiting(place: int) -> None:
            places.append(place)
            waits.release()

        try:
            with queue.turn(pairs[number][0], waiting):
                begun.append(number)
        except ConnectionResetError:
            ended.append(number)

    with queue.turn(socket.socketpair()[0], places.append):
        threads = [threading.Thread(target=come, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
            assert waits.acquire(timeout=10)
        pairs[1][1].close()
        threads[1].join(10)
    for thread in threads:
        thread.join(10)
    assert (places, begun, ended) == ([1, 2, 3], [0, 2], [1])
    with queue.turn(pairs[0][0], places.append):
        assert places == [1, 2, 3]


def test_too_many_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST_WAITING", 0)
    queue = Turns(1)
    one, other = socket.socketpair()
    with (
        one,
        other,
        queue.turn(one, lambda _place: None),
        pytest.raises(ConnectionResetError, match="too many"),
        queue.turn(other, lambda _place: None),
    ):
        raise AssertionError


def test_a_round_trip_is_measured_also_to_a_port_that_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        found = measure([("127.0.0.1", port), ("127.0.0.1", 1)], "tcp")
    assert all(took is not None and 0 < took < 2 for took in found.values())
    assert len(found) == 2
    assert measure([], "tcp") == {}
    assert (text(0.00123), text(None)) == ("1.230 ms", "no answer")


def test_the_bar_and_the_line() -> None:
    assert bar(0, 10) == f"[{'.' * 30}]"
    assert bar(5, 10) == f"[{'#' * 15}{'.' * 15}]"
    assert bar(0, 0) == f"[{'#' * 30}]"
    assert progress_line("s", 1_500_000, 3_000_000, 2e6) == " 50% s: 1.5 of 3.0 MB, 2.0 MB/s"


def test_elsewhere_than_on_a_terminal_there_are_plain_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("progress").AGAIN_SECONDS, False, 0.0)
    progress = Progress("a\x1b[2J", 4)
    progress(2)
    progress(4)
    progress.end()
    told = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in told] == [
        " 50% a\\x1b[2J: 0.0 of 0.0 MB",
        "100% a\\x1b[2J: 0.0 of 0.0 MB",
    ]
    Progress("s", 4, wanted=False)(2)
    assert capsys.readouterr().err == ""
