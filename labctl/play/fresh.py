"""A copy of a lab of one's own: up under a random name, taken down at the end."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from labctl.engine.client import Engine
from labctl.engine.down import down
from labctl.engine.live import LiveLab
from labctl.engine.shield import shielded
from labctl.engine.up import Reporter, Wishes, up
from labctl.lab.lab import Lab

_LONGEST_STEM = 30


def fresh_name(lab: str) -> str:
    """Return a name that no other copy of the lab has: `tcp-3fa91c`."""
    return f"{lab[:_LONGEST_STEM]}-{secrets.token_hex(3)}"


@contextmanager
def fresh(
    engine: Engine,
    lab: Lab,
    reporter: Reporter,
    scale: Mapping[str, int] | None = None,
    timeout: float | None = None,
    keep: bool = False,
) -> Iterator[LiveLab]:
    """Within the block the lab is up under a name of its own.

    `timeout`, in seconds, is what its hosts have to become ready. With `keep` it stays up
    afterwards, also when it did not come up whole. Raises what `labctl.engine.up.up` raises.
    """
    default = Wishes()
    wishes = Wishes(fresh_name(lab.name), scale or default.scale, timeout or default.timeout, keep)
    live = up(engine, lab, wishes, reporter)
    try:
        yield live
    finally:
        if not keep:
            with shielded():
                down(engine, live.name)
