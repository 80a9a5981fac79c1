"""EINVAL of a bind that comes too late, or twice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.sequence.build import Story
from tests.unit.sequence.diagnose.found import only, pair, rules
from tests.unit.sequence.exchanges import tcp_socket


def late(*before: str, **told: Any) -> Story:
    """A server that calls bind too late, after the calls `before`."""
    story, _, server = pair()
    tcp_socket(server)
    for name in before:
        if name == "bind":
            server.call("bind", 3, address="0.0.0.0:80")
        elif name == "connect":
            server.call("connect", 3, errno="EINPROGRESS", address="10.0.0.1:9")
        else:
            server.call(name, 3)
    args: dict[str, Any] = {**told}
    server.call("bind", 3, errno="EINVAL", **args)
    return story


def test_bind_after_listen() -> None:
    story = late("listen", address="0.0.0.0:80")
    diagnosis = only(story, "bound-already")
    assert diagnosis.sentence == (
        "bind of process 10 on server to 0.0.0.0:80 failed at 40 µs with EINVAL: listen was"
        " called before, so the kernel had already given the socket an address."
    )
    assert diagnosis.advice.startswith("Call bind first, then listen")
    assert (diagnosis.level, diagnosis.host) == ("error", "server")
    assert [getattr(event, "name", "") for event in diagnosis.events] == ["listen", "bind"]


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (("bind", "listen"), "bind had already given the socket the address 0.0.0.0:80."),
        (("connect",), "connect was called before, so the kernel had already given the socket"),
    ],
)
def test_what_gave_it_its_address(before: tuple[str, ...], words: str) -> None:
    told = only(late(*before, address="0.0.0.0:81"), "bound-already")
    assert "to 0.0.0.0:81 failed" in told.sentence
    assert words in told.sentence


def test_a_tracer_that_does_not_tell_the_address() -> None:
    assert "bind of process 10 on server failed at" in only(late("bind"), "bound-already").sentence


def test_what_has_another_reason_is_not_explained() -> None:
    assert "bound-already" not in rules(late(address="0.0.0.0:80"))
    story = late()
    story.thread("server", 11).call("bind", 3, errno="EINVAL")
    assert "bound-already" not in rules(story)
