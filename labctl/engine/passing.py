"""Containers of labctl's own that pass: made for one question, and removed with its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import requests
from docker.errors import DockerException

from labctl.engine.client import Engine
from labctl.engine.shield import deferred


@contextmanager
def passing(engine: Engine, make: Callable[[], str]) -> Iterator[str]:
    """Yield the id of the container that `make` makes; remove it after the block.

    Its anonymous volumes go with it: an image of whose making labctl knows nothing may ask
    for some. Interrupts wait while it is made and removed; its labels are to say whose it
    is, so that `clean` finds it where labctl is killed. Raises what `make` raises.
    """
    container = None
    try:
        with deferred():
            container = make()
        yield container
    finally:
        if container is not None:
            with deferred(), suppress(DockerException, requests.RequestException):
                engine.sdk.api.remove_container(container, v=True, force=True)
