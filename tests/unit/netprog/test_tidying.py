"""The directory's loop takes out the files of users who have left, in turns, by itself."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING

import directory_loop
import pytest
from directory_loop import TIDIED_AT_ONCE, TURN_SECONDS, Directory
from messages import File
from sockets import listen_on
from table import Table, User

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import Dial

FILES = 5 * TIDIED_AT_ONCE
MD5 = "0" * 32
PATIENCE = 10.0


class Over(Exception):
    """What ends a loop that has nothing left to do."""


@pytest.fixture
def loop() -> Iterator[Directory]:
    with listen_on("127.0.0.1", 0, 8) as listener:
        directory = Directory(listener, 10, 30.0, 10.0)
        yield directory
        # Its name is that of the port, which somebody else may be given now.
        directory._readers.listener.close()


def test_it_does_so_though_nobody_asks_for_anything(
    loop: Directory, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = loop._listener.getsockname()[1]
    anna = dial(port)
    anna.say(2, 'anna pw 6699 "nap" 10')
    for number in range(FILES):
        anna.say(100, f'"song {number}" {MD5} 9 0 0 0')
    took = []
    tidy, pause = Table.tidy, Directory._pause

    def counted(table: Table, most: int) -> None:
        if table.untidy:
            took.append(most)
        tidy(table, most)

    def until_tidy(one: Directory) -> float | None:
        assert time.monotonic() < began + PATIENCE, "it waits until somebody comes, or for ever"
        if took and not one._dialogue.table.untidy:
            raise Over
        user = one._dialogue.table.user("anna")
        if user is not None and len(user.items) == FILES:
            # Earlier, what it said might be forgotten with it.
            anna.sock.close()
        return pause(one)

    monkeypatch.setattr(Table, "tidy", counted)
    monkeypatch.setattr(Directory, "_pause", until_tidy)
    # A loop that waits in vain is woken by a newcomer, too late.
    newcomer = threading.Timer(PATIENCE, lambda: dial(port))
    newcomer.start()
    began = time.monotonic()
    try:
        with pytest.raises(Over):
            loop.run()
    finally:
        newcomer.cancel()
    assert set(took) == {TIDIED_AT_ONCE}
    assert len(took) >= FILES // TIDIED_AT_ONCE


def test_the_others_get_their_turn_meanwhile(
    loop: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = loop._dialogue.table
    anna = User("anna", "10.0.0.1", 1, 0)
    table.join(anna)
    for number in range(FILES):
        table.share(anna, File(f"song {number}", MD5, 9))
    table.leave("anna")
    clock = itertools.count(step=TURN_SECONDS / 2)
    monkeypatch.setattr(directory_loop, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    loop._tidy()
    assert len(anna.items) == FILES - TIDIED_AT_ONCE
    assert loop._pause() == 0
    while table.untidy:
        loop._tidy()
    assert loop._pause() != 0
