"""Staying registered, with a clock and a directory made of lists."""

from __future__ import annotations

from pathlib import Path

import pytest
import registering
from napster import Kind
from outbox import Outbox
from registering import Registration
from share import Share


class Clock:
    """Time that passes only when somebody sleeps; the pause number `most` ends the program."""

    def __init__(self, most: int) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self._most = most

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(round(seconds, 3))
        if len(self.pauses) == self._most:
            raise SystemExit


class Directory:
    """Lets the peer in each time and hangs up after the next of `lasting` seconds."""

    remote = ("127.0.0.1", 8888)

    def __init__(self, clock: Clock, *lasting: float) -> None:
        self.sent: list[Kind] = []
        self.closed = 0
        self._clock = clock
        self._lasting = list(lasting)

    def open(self, *_words: object) -> Directory:
        return self

    def send(self, kind: Kind, _data: str = "") -> None:
        self.sent.append(kind)

    def receive(self, _wait: float, _bell: int) -> None:
        if not self._lasting:
            raise SystemExit
        self._clock.now += self._lasting.pop(0)
        raise ConnectionResetError("hung up")

    def close(self) -> None:
        self.closed += 1


def keep(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    clock: Clock,
    directory: Directory,
    outbox: Outbox | None = None,
) -> None:
    monkeypatch.setattr(registering, "time", clock)
    monkeypatch.setattr(registering, "Session", directory)
    with pytest.raises(SystemExit):
        Registration(
            *(Share(str(folder)), "anna", 6699, 0, 100),
            outbox=outbox or Outbox(),
            push=lambda _where: None,
        ).keep("directory", 8888)


def test_a_directory_that_hangs_up_at_once_is_called_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = Clock(9)
    keep(monkeypatch, tmp_path, clock, Directory(clock, 0, 0, 0, 1, 0, 0, 60, 0, 0))
    assert clock.pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 0.1, 0.2, 0.4]


def test_at_its_end_a_peer_sends_nothing_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A directory that is stuck would hold it; besides, half a message may have gone out."""
    (tmp_path / "a").touch()
    directory = Directory(Clock(0))
    keep(monkeypatch, tmp_path, Clock(0), directory)
    assert directory.sent == [Kind.SHARE]
    assert directory.closed == 1


def test_uploads_that_go_on_are_told_to_the_directory_that_is_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    outbox = Outbox()
    clock = Clock(3)
    directory = Directory(clock, 10, 10, 10)
    begun, ended = Kind.UPLOAD_BEGUN, Kind.UPLOAD_ENDED
    for kind in (begun, begun, ended):
        outbox.put(kind)
    monkeypatch.setattr(Clock, "sleep", lambda self, seconds: outbox.put(begun))
    receive = Directory.receive
    times = iter([False, True])

    def receive_or_not(self: Directory, wait: float, bell: int) -> None:
        if next(times, True):
            receive(self, wait, bell)

    monkeypatch.setattr(Directory, "receive", receive_or_not)
    directory._lasting = [10]
    keep(monkeypatch, tmp_path, clock, directory, outbox)
    # At first all three; then, to the one that is back, the one that still goes on.
    assert directory.sent == [begun, begun, ended, begun]
