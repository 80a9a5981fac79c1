"""Fifty rounds in which peers and directory come and go while somebody downloads.

More of them, and others:  LABCTL_CHURN=500 LABCTL_CHURN_SEED=7 python -m pytest -k churn
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tests.unit.netprog.churn import Churn

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import Start

ROUNDS = int(os.environ.get("LABCTL_CHURN", "50"))
SEED = int(os.environ.get("LABCTL_CHURN_SEED", "1"))


def test_every_download_ends_bit_for_bit_or_with_a_clear_error(
    start: Start, tmp_path: Path, kept_port: int
) -> None:
    churn = Churn(start, tmp_path, SEED, kept_port)
    for number in range(ROUNDS):
        churn.round(number)
    codes = [code for (_, code), count in churn.ended.items() for _ in range(count)]
    assert len(codes) == ROUNDS
    # Not all ends alike, or nothing has been tried.
    assert codes.count(0) >= ROUNDS / 4, churn.ended
    if ROUNDS >= 50:
        assert codes.count(1) >= ROUNDS / 20, churn.ended
        assert len({what for what, _ in churn.ended}) == 8, churn.ended
