"""What went wrong very often is found in good time, and said once."""

from __future__ import annotations

import time

import pytest

from labctl.sequence.diagnose import Diagnosis, diagnose
from labctl.sequence.timeline import Timeline
from tests.unit.sequence.build import Story
from tests.unit.sequence.diagnose.found import SECOND, pair
from tests.unit.sequence.diagnose.test_leaks import serve
from tests.unit.sequence.diagnose.test_refused import refuse
from tests.unit.sequence.exchanges import Dialogue, listening

MANY = 600
LONGEST = 2.0
"""Seconds of the processor: several times what it takes."""


def quickly(story: Story) -> list[Diagnosis]:
    timeline = Timeline.of(story.recording())
    began = time.process_time()
    found = diagnose(timeline)
    assert time.process_time() - began < LONGEST
    return [diagnosis for diagnosis in found if diagnosis.level != "info"]


def test_many_refusals() -> None:
    story, client, server = pair()
    listening(server, "127.0.0.1:80")
    for number in range(MANY):
        refuse(client, port=10_000 + number)
        client.call("close", 3)
    (diagnosis,) = quickly(story)
    assert len(diagnosis.connections) == MANY


def test_many_leaks() -> None:
    story, _, _ = pair()
    serve(story, MANY, "shutdown")
    (diagnosis,) = quickly(story)
    assert len(diagnosis.connections) == MANY


@pytest.mark.parametrize("served", [False, True])
def test_many_clients_wait_for_one_that_is_stuck(served: bool) -> None:
    story, _, server = pair()
    listening(server, backlog=MANY)
    for number in range(MANY):
        talk = Dialogue(story.thread("client", 100 + number), server, 10_000 + number)
        talk.connect()
        if served or not number:
            talk.server_fd = 4 + number
            talk.accept()
    server.begin("recvfrom", 4, length=100)
    for number in range(MANY):
        story.thread("client", 100 + number).begin("recvfrom", 3, length=100)
    story.tick(2 * SECOND)
    for number in range(MANY):
        story.thread("client", 100 + number).exit(signal="SIGALRM")
    diagnoses = {diagnosis.rule: diagnosis for diagnosis in quickly(story)}
    assert diagnoses["deadlock"].connections == (1,)
