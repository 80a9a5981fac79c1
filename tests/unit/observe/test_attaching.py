"""Attaching to a lab that is up."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.engine.live import LiveHost, LiveLab, State
from labctl.errors import MachineError
from labctl.observe.observer import Observer
from labctl.observe.wishes import Wishes


def test_a_lab_whose_hosts_have_all_stopped_is_refused() -> None:
    observer = Observer.__new__(Observer)  # its making asks the engine for images
    observer._wishes = Wishes()
    ended = LiveHost("h", "talk", "talk-h-1", "1f", "labctl-host", "exited", "Exited (1)", {})
    lab = LiveLab("talk", "talk", Path("compose.yaml"), State.STOPPED, (ended,), {})
    with pytest.raises(MachineError, match="none of the hosts to be observed runs in lab talk"):
        observer.attach(lab)
