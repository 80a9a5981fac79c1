"""Follows the engine's events about a lab's containers, for progress."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import requests
from docker.errors import DockerException

from labctl.engine import labels
from labctl.engine.client import Engine
from labctl.engine.ready import Progress

_WORDS = {"create": "created", "start": "started"}


@contextmanager
def progress_of(engine: Engine, name: str, progress: Progress) -> Iterator[None]:
    """Within the block, tell `progress` when a container of the lab is created or started."""
    try:
        stream = engine.sdk.api.events(
            decode=True, filters={"type": "container", "label": f"{labels.NAME}={name}"}
        )
    except (DockerException, requests.RequestException):
        yield  # progress is a comfort; whatever is wrong shows in the work itself
        return
    follower = threading.Thread(target=_follow, args=(stream, progress), daemon=True)
    follower.start()
    try:
        yield
    finally:
        with suppress(Exception):
            stream.close()
        follower.join(1.0)


def _follow(stream: Iterator[dict[str, object]], progress: Progress) -> None:
    # Closing the stream ends the loop with whatever error the socket happens to give.
    with suppress(Exception):
        for event in stream:
            word = _WORDS.get(str(event.get("Action")))
            actor = event.get("Actor")
            if word and isinstance(actor, dict):
                progress(actor["Attributes"].get(labels.HOST, ""), word)
