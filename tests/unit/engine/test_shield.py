from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from labctl.engine.shield import NUMBERS, deferred, shielded, term_interrupts


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The signals as a program finds them at its start, and as they were afterwards."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in NUMBERS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_shielded_block_is_finished() -> None:
    with shielded():
        for number in NUMBERS:
            signal.raise_signal(number)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("first", [(), (signal.SIGHUP,)])
def test_what_came_in_a_deferred_block_acts_after_it(first: tuple[int, ...]) -> None:
    """Also behind one that is ignored."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    done = False
    with pytest.raises(KeyboardInterrupt), deferred():
        for number in (*first, signal.SIGINT):
            signal.raise_signal(number)
        done = True
    assert done


def test_sigterm_interrupts_within_the_block_only() -> None:
    with pytest.raises(KeyboardInterrupt), term_interrupts():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_program_that_handles_sigterm_itself_keeps_its_way() -> None:
    got: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: got.append(number))
    with term_interrupts():
        signal.raise_signal(signal.SIGTERM)
    assert got == [signal.SIGTERM]
