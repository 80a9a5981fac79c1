"""Traces made for tests: what threads do, one line after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from labctl.observe.tracefs import Follow, Parsed, parse
from labctl.sequence.events import Call

MAIN = 1000
"""The kernel's number of the main process of the host `h`: 1 there."""
START = 1_700_000_000
MICROSECOND = 1000


class Trace:
    """Collects lines; each is one microsecond after the one before, unless told otherwise."""

    def __init__(self, ahead: int = 0, **more: object) -> None:
        self.lines: list[bytes] = []
        self.micros = 0
        self.follows: list[Follow] = []
        self.mark(tracer="tracefs", ahead=ahead, skipped=[], **more)

    def mark(self, **what: object) -> None:
        self.lines.append(b"#labctl " + json.dumps(what).encode() + b"\n")

    def follow(
        self,
        host: str = "h",
        main: int = MAIN,
        tasks: Mapping[int, tuple[int, int]] | None = None,
        **more: object,
    ) -> None:
        """Follow threads (by the kernel's number; process and thread in the host's namespace)."""
        found = {main: (1, 1)} if tasks is None else dict(tasks)
        self.follows.append(Follow(host, main, found))
        self.mark(follow=main, tasks=found, at=self.now, **more)

    @property
    def now(self) -> int:
        """The time of the next line, in ns."""
        return START * 10**9 + self.micros * MICROSECOND

    def line(self, tid: int, text: str, *, cpu: int = 0, soft: bool = False, wait: int = 1) -> int:
        """Add a line after `wait` microseconds; return its time."""
        self.micros += wait
        flags = "..s1." if soft else "....."
        at = f"{START + self.micros // 10**6}.{self.micros % 10**6:06}"
        command = f"{'python3':>16}-{tid}"
        self.lines.append(f"{command}  [{cpu:03}] {flags} {at}: {text}\n".encode())
        return self.now

    def enter(self, tid: int, name: str, *values: int) -> int:
        arguments = ", ".join(f"a{n}: 0x{value:x}" for n, value in enumerate(values))
        return self.line(tid, f"sys_{name}({arguments})")

    def leave(self, tid: int, name: str, result: int) -> int:
        return self.line(tid, f"sys_{name} -> 0x{result & (1 << 64) - 1:x}")

    def call(self, tid: int, name: str, *values: int, result: int = 0) -> None:
        self.enter(tid, name, *values)
        self.leave(tid, name, result)

    def fork(self, tid: int, child: int, flags: int = 17, name: str = "clone") -> None:
        """Tell of a child while its parent is in the call that makes it."""
        self.line(tid, f"task_newtask: pid={child} comm=x clone_flags={flags:x} oom_score_adj=0")
        self.line(tid, f"sched_process_fork: comm=x pid={tid} child_comm=x child_pid={child}")

    def parsed(self, addresses: Mapping[str, str] | None = None) -> Parsed:
        return parse(self.lines, self.follows, addresses or {})

    def calls(self, addresses: Mapping[str, str] | None = None) -> Iterator[Call]:
        yield from self.parsed(addresses).calls


def state(local: str, remote: str, old: str, new: str) -> str:
    """Return the text of an event inet_sock_set_state; ends as `ADDRESS:PORT`."""
    (saddr, sport), (daddr, dport) = local.split(":"), remote.split(":")
    return (
        f"inet_sock_set_state: family=AF_INET protocol=IPPROTO_TCP sport={sport} dport={dport} "
        f"saddr={saddr} daddr={daddr} saddrv6=:: daddrv6=:: oldstate=TCP_{old} newstate=TCP_{new}"
    )


def route(local: str, remote: str, protocol: int = 6) -> str:
    """Return the text of an event fib_table_lookup; ends as `ADDRESS:PORT`."""
    ends = f"{local.replace(':', '/')} -> {remote.replace(':', '/')}"
    return f"fib_table_lookup: table 254 oif 0 iif 1 proto {protocol} {ends} tos 0 scope 0 flags 0"
