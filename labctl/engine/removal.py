"""Removes one thing of the engine's, and insists."""

from __future__ import annotations

import time
from collections.abc import Callable

from docker.errors import APIError, NotFound

from labctl.errors import EngineError

_FIRST_NAP = 0.05
_LONGEST_NAP = 1.0


def insist(remove: Callable[[], object], what: str, hint: str, deadline: float) -> None:
    """Call `remove` until it succeeds, or what it removes is not there.

    An engine refuses for a while what it will do a moment later: a network may have
    "active endpoints" whose containers have just gone, a container may be on its way out.
    Raises EngineError, naming `what`, when it still refuses at `deadline` (time.monotonic()).
    """
    nap = _FIRST_NAP
    while True:
        try:
            remove()
        except NotFound:
            return
        except APIError as error:
            if time.monotonic() >= deadline:
                raise EngineError(
                    f"the engine refused to remove {what}: {error.explanation}", hint
                ) from error
        else:
            return
        time.sleep(nap)
        nap = min(nap * 2, _LONGEST_NAP)
