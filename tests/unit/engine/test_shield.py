from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from labctl.engine.shield import shielded, term_interrupts


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Both signals as a program finds them at its start, and as they were afterwards."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, before[0])
    signal.signal(signal.SIGTERM, before[1])


def test_a_shielded_block_is_finished() -> None:
    with shielded():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


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
