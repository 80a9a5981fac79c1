"""Puts strace's lines together: the halves of calls, calls and their threads. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from labctl.observe.strace.lines import Line, read
from labctl.observe.strace.notices import Notices
from labctl.observe.strace.options import ALIASES, RESTART
from labctl.observe.strace.story import NEVER, Story
from labctl.observe.strace.tasks import Open, Task, Tasks

_RESUMING = re.compile(r"<\.\.\. resuming interrupted (\w+) \.\.\.>", re.ASCII)


class Reader:
    """Takes lines in strace's order, and tells what is in them."""

    def __init__(self, threads: Mapping[int, int]) -> None:
        self.notices = Notices()
        self._tasks = Tasks(threads)
        self._story = Story(self._tasks, self.notices)
        self._cut: tuple[Task, Line, str] | None = None

    def take(self, text: str) -> None:
        """Read a line, each byte one character, without its newline."""
        if self._cut is not None:
            self.notices.unreadable(self._cut[2])
            self._cut = None
        line = read(text)
        if line is None:
            self._other(text)
        elif line.kind != "signal":
            self._take(line, self._tasks.seen(line.tid, line.time), text)
        elif line.name:
            self._tasks.told_parent(int(line.name))

    def finish(self) -> Story:
        """Return all that was told, once all lines are taken.

        Calls still going on have not returned; of one that the end of the output has cut in
        two, as much is kept as can be read.
        """
        if self._cut is not None:
            task, line, _ = self._cut
            self._leave(task)
            task.open = self._begun(task, line)
        for task in self._tasks.living():
            self._leave(task)
        return self._story

    def _other(self, text: str) -> None:
        if text.startswith("strace: "):
            self.notices.said(text.removeprefix("strace: "))
        elif text.strip():
            self.notices.unreadable(text)

    def _take(self, line: Line, task: Task, text: str) -> None:
        kind = line.kind
        if kind == "call":
            self._leave(task)
            call = self._begun(task, line)
            if line.outcome is None:
                task.open = call
            else:
                self._story.returned(call, line.outcome, line.time, text)
        elif kind == "resumed":
            self._resumed(task, line, text)
        elif kind == "cut":
            self._cut = task, line, text
        elif kind == "superseded":
            self._leave(task)
            self._tasks.superseded(task, int(line.name))
        else:
            self._leave(task)
            task.ended = True
            self._story.ended(task, line)

    def _begun(self, task: Task, line: Line) -> Open:
        """Return the call that a line begins; where the kernel has it go on in one, that one."""
        name, text = ALIASES.get(line.name, line.name), line.text
        if name == RESTART and (resuming := _RESUMING.search(text)):
            before = task.interrupted
            if before is not None and before.name == ALIASES.get(resuming[1], resuming[1]):
                name, text = before.name, before.text
        return Open(task, name, text, line.time)

    def _resumed(self, task: Task, line: Line, text: str) -> None:
        call = task.open
        name = ALIASES.get(line.name, line.name)
        if call is None or line.outcome is None or name not in (call.name, RESTART):
            self._leave(task)
            self.notices.unreadable(text)
            return
        task.open = None
        if name == call.name:
            call.text += line.text
        self._story.returned(call, line.outcome, line.time, text)

    def _leave(self, task: Task) -> None:
        """Tell of the call that a thread was in, and from which it has not returned."""
        call, task.open = task.open, None
        if call is not None:
            self._story.returned(call, NEVER, call.start, "")
