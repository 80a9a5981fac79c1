"""Runs what may hang, and does not wait for it longer than told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

_Result = TypeVar("_Result")
_LOOK_EVERY = 0.1


def within(
    seconds: float, work: Callable[[], _Result], given_up: threading.Event | None = None
) -> _Result:
    """Return what `work` returns, and raise what it raises.

    Raises TimeoutError when it is not done within `seconds`, or when `given_up` is set
    before; it then goes on unheard, and does not keep the process from ending.
    """
    results: list[_Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    worker = threading.Thread(target=run, daemon=True)
    worker.start()
    deadline = time.monotonic() + seconds
    while worker.is_alive() and not (given_up and given_up.is_set()):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        worker.join(min(left, _LOOK_EVERY) if given_up else left)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"no answer within {seconds:g} seconds")
    return results[0]
