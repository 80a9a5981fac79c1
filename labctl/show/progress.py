"""How an `up` goes: one live line per host on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

STAGES = ("waiting", "created", "started", "ready", "done", "ended")
_ENDED = ("ready", "done", "ended")
_STYLES = {
    "ready": "green",
    "done": "green",
    "ended": "red",
    "started": "yellow",
    "created": "cyan",
}
_MOST_LINES = 24


class HostProgress:
    """Collects the stages of hosts; safe to call from several threads.

    On a terminal it draws itself until the block ends; elsewhere it prints a line when a
    host is ready, and the notes.
    """

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._stages: dict[str, str] = {}
        self._note = ""
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        self._spinner = Spinner("dots")
        self._live = (
            Live(self, console=console, refresh_per_second=8, transient=True)
            if console.is_terminal
            else None
        )

    def __enter__(self) -> HostProgress:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
        if kind is KeyboardInterrupt:
            self._print(f"{self._title}: interrupted; nothing of it is left")

    @property
    def seconds(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._begun

    def hosts(self, names: list[str]) -> None:
        """Say which hosts there will be."""
        with self._lock:
            self._stages = dict.fromkeys(names, "waiting")

    def host(self, name: str, stage: str) -> None:
        """Say that a host has come to a stage; it never goes back to an earlier one."""
        with self._lock:
            before = self._stages.get(name, "waiting")
            if STAGES.index(stage) <= STAGES.index(before):
                return
            self._stages[name] = stage
        if self._live is None and stage in _ENDED:
            self._print(f"{name}: {stage}")

    def note(self, line: str) -> None:
        """Say something that is not of one host."""
        with self._lock:
            self._note = line
        if self._live is None:
            self._print(line)

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, emoji=False, soft_wrap=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        with self._lock:
            stages, note = dict(self._stages), self._note
        ready = sum(stage in _ENDED for stage in stages.values())
        head = f" {self._title}: {ready} of {len(stages)} hosts ready, {self.seconds:.1f} s"
        spin = self._spinner.render(time.monotonic())
        rows: list[Text] = [Text.assemble(spin if isinstance(spin, Text) else "", head)]
        if note and not stages:
            rows.append(Text(f"   {note}", style="dim"))
        # Many hosts: those that are not ready are what one wants to see.
        shown = sorted(stages.items(), key=lambda item: item[1] in _ENDED)[:_MOST_LINES]
        width = max((len(name) for name, _ in shown), default=0)
        for name, stage in shown:
            rows.append(Text.assemble(f"   {name:<{width}}  ", (stage, _STYLES.get(stage, "dim"))))
        if len(shown) < len(stages):
            rows.append(Text(f"   and {len(stages) - len(shown)} more", style="dim"))
        yield Group(*rows)
