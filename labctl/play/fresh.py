"""A copy of a lab of one's own: up under a random name, taken down at the end."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from labctl.engine import locks
from labctl.engine.attending import Attendant
from labctl.engine.client import Engine
from labctl.engine.down import down
from labctl.engine.live import LiveLab, life_lock
from labctl.engine.shield import shielded
from labctl.engine.up import Reporter, Wishes, up
from labctl.errors import LabctlError
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
    attendant: Attendant | None = None,
) -> Iterator[LiveLab]:
    """Within the block the lab is up under a name of its own.

    `timeout`, in seconds, is what its hosts have to become ready. With `keep` it stays up
    afterwards, also when it did not come up whole. Raises what `labctl.engine.up.up` raises.
    """
    default = Wishes()
    name = fresh_name(lab.name)
    told = (scale or default.scale, timeout or default.timeout, keep)
    wishes = Wishes(name, *told, fresh=not keep)
    with locks.held(life_lock(engine, name), f"lab {name}", 1.0, once=True):
        try:
            yield up(engine, lab, wishes, reporter, attendant)
        except BaseException:
            if not keep:
                with shielded(), suppress(LabctlError):  # the first error is the one to tell
                    down(engine, name)
            raise
        if not keep:
            with shielded():
                down(engine, name)
