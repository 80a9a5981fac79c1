"""What was seen of a play, judged by the pattern of its lab."""

from __future__ import annotations

import pytest

from labctl.errors import UsageError
from labctl.play.judged import judge
from labctl.sequence.pattern import parse
from tests.unit.sequence.exchanges import exchange

SERVER = ["socket", "bind", "listen", "accept", "recv+", "send+", "close"]


def test_it_passes_where_it_is_as_the_pattern_says() -> None:
    assert judge(exchange(), parse({"server": SERVER})).passed
    assert not judge(exchange(), parse({"server": SERVER[1:]})).passed


def test_it_passes_without_a_pattern() -> None:
    judged = judge(exchange())
    assert judged.passed and judged.verdict is None


def test_a_host_that_was_not_observed_is_a_wrong_use() -> None:
    with pytest.raises(UsageError) as caught:
        judge(exchange(), parse({"sever": SERVER}))
    assert caught.value.exit_code == 2
    assert caught.value.message == "the sequence cannot be judged: no host `sever` was observed"
    assert caught.value.hint == "did you mean `server`?"
