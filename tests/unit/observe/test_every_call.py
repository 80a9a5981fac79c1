"""Runs of one program, every call of them traced: both tracers tell what `strace -c -f` counts."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from labctl.observe import strace, tracefs
from labctl.observe.strace.options import options
from labctl.sequence.crossings import Crossings, tally
from labctl.sequence.processor import Processor
from labctl.sequence.recording import ObservedHost, Recording
from tests.unit.observe.tracefs.recorded import FOLDER, follows, lines

TRACERS = ("strace", "tracefs")


@cache
def processes(tracer: str) -> tuple[Crossings, ...]:
    processor: tuple[Processor, ...] | None = None
    if tracer == "strace":
        with (FOLDER / "every.strace").open("rb") as file:
            parsed = strace.parse(file, "h", {})
        calls, events, notices = parsed.calls, parsed.processes, parsed.notices
    else:
        told = lines("every")
        seen = tracefs.parse(told, follows(told), {}, every_call=True)
        calls, events, notices = seen.calls, seen.processes, seen.notices
        processor = seen.processor
    assert notices == ()
    host = ObservedHost("h", {})
    return tally(Recording("", tracer, (host,), calls, processes=events), processor)


def counted() -> tuple[Counter[str], Counter[str]]:
    """Return how many calls `strace -c -f` counts, and how many of them failed, by name.

    It counts what returned, so no exit_group.
    """
    calls: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    for line in (FOLDER / "every.counts").read_text().splitlines()[2:-2]:
        _, _, _, count, *failed, name = line.split()
        calls[name] += int(count)
        errors[name] += int(failed[0]) if failed else 0
    return calls, +errors


@pytest.mark.parametrize("tracer", TRACERS)
def test_it_counts_what_strace_counts(tracer: str) -> None:
    calls: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    for process in processes(tracer):
        for kind in process.kinds:
            calls[kind.name] += kind.calls - kind.unreturned
            errors[kind.name] += sum(kind.errors.values())
    assert (+calls, +errors) == counted()


@pytest.mark.parametrize("tracer", TRACERS)
def test_each_process_has_its_own_calls_and_ends_once(tracer: str) -> None:
    shell, dd, empty = sorted(processes(tracer), key=lambda one: one.start)
    assert [one.name for one in (shell, dd, empty)] == ["sh", "dd", "sh"]
    assert dd.kind("write").calls == 5 + 3  # and what it tells on standard error
    for one in (shell, dd, empty):
        assert one.ended
        assert one.kind("exit_group").calls == one.kind("exit_group").unreturned == 1
        assert one.inside + one.outside == one.lifetime
        assert 0 <= one.waiting <= one.inside
    assert empty.kind("execve").calls == 0
    assert shell.kind("execve").calls == 1  # the shell at the gate is not counted
    assert shell.kind("wait4").waiting > 0


def test_the_scheduler_tells_what_had_a_processor() -> None:
    for one in processes("tracefs"):
        assert one.user is not None
        assert 0 < one.user <= one.outside
        assert one.working < one.inside
    assert all(one.user is None for one in processes("strace"))


def test_strace_is_asked_for_all_calls_only_where_that_is_wished() -> None:
    assert "trace=all" in options(every_call=True)
    assert not any("trace=all" in word for word in options())
