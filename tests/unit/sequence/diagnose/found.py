"""What tests of diagnoses share: recordings in, what was found out."""

from __future__ import annotations

from labctl.sequence.diagnose import Diagnosis, diagnose
from labctl.sequence.recording import Recording
from labctl.sequence.timeline import Timeline
from tests.unit.sequence.build import Story, Thread
from tests.unit.sequence.exchanges import CLIENT, SERVER, Dialogue, listening

SECOND = 1_000_000_000


def found(story: Story | Recording) -> tuple[Diagnosis, ...]:
    """Return all diagnoses of a recording."""
    recording = story.recording() if isinstance(story, Story) else story
    return diagnose(Timeline.of(recording))


def rules(story: Story | Recording) -> set[str]:
    """Return the rules that found something worse than how things are."""
    return {diagnosis.rule for diagnosis in found(story) if diagnosis.level != "info"}


def only(story: Story | Recording, rule: str) -> Diagnosis:
    """Return the one diagnosis of a rule, and insist that there is just one."""
    diagnoses = found(story)
    chosen = [diagnosis for diagnosis in diagnoses if diagnosis.rule == rule]
    assert len(chosen) == 1, [str(diagnosis) for diagnosis in diagnoses]
    return chosen[0]


def pair(**more: str) -> tuple[Story, Thread, Thread]:
    """Return a story of two hosts, a client's thread (100) and a server's (10)."""
    story = Story(client=CLIENT, server=SERVER, **more)
    return story, story.thread("client", 100), story.thread("server", 10)


def connected(backlog: int = 5) -> tuple[Story, Dialogue]:
    """Return a story in which a server listens and has accepted one client."""
    story, client, server = pair()
    listening(server, backlog=backlog)
    talk = Dialogue(client, server)
    talk.connect()
    talk.accept()
    return story, talk
