"""The event loop of a crowd: many peers of one host, each logged in to every directory.

They keep to the protocol: each registers its files, accepts who wants one (607, 608), takes
every answer, and registers again when it has lost a directory.
"""

import random
import selectors
import time
from collections import deque
from dataclasses import dataclass, field

from command import Failure, endpoint, reason, say
from crowd_line import Line, Question, greeting, search_frame
from crowd_names import Expected, Names
from messages import Result
from napster import HEADER, Kind, Malformed, Message, encode, size
from offered import Offered, due_times
from query import MOST_RESULTS
from splitting import Split

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
AT_ONCE = 200
"""Peers that register at the same time: fewer than a backlog holds."""

LONGEST_PAUSE = 2.0


@dataclass
class Plan:
    """Who the crowd is: its nicks are `nick`0, `nick`1, ..."""

    directories: list[tuple[str, int]]
    split: Split
    peers: int
    files: int
    """Of each peer."""
    nick: str
    port: int
    seed: int
    verify: bool


@dataclass
class Crowd:
    """All peers. `join` first, then `play` as often as wanted, or `stay`."""

    plan: Plan
    lines: list[Line] = field(default_factory=list)
    losses: int = 0
    """Connections that a directory has ended."""
    joined: int = 0
    """Lines that are registered."""

    def __post_init__(self) -> None:
        plan = self.plan
        self._names = Names(plan.peers * plan.files, plan.seed)
        self._expected = Expected(self._names.names) if plan.verify else None
        self._searches = self._names.searches()
        self._chance = random.Random(plan.seed)
        self._selector = selectors.DefaultSelector()
        self._connecting = 0
        self._waiting: deque[tuple[float, Line]] = deque()
        """Those not connected, and when each may try."""
        self._offered: Offered | None = None
        self._began = 0.0
        for member in range(plan.peers):
            for place, address in enumerate(plan.directories):
                line = Line(member, place, address, lambda m=member, p=place: self._greeting(m, p))  # type: ignore[misc]
                self.lines.append(line)
                self._waiting.append((0.0, line))

    def nick(self, member: int) -> str:
        return f"{self.plan.nick}{member}"

    def _own(self, member: int) -> list[str]:
        return self._names.names[member :: self.plan.peers]

    def _greeting(self, member: int, place: int) -> bytes:
        nick, told = self.nick(member), self.plan.split.told
        names = [name for name in self._own(member) if place in told(nick, name)]
        return greeting(nick, self.plan.port, names)

    def join(self, patience: float) -> float:
        """Register everybody; the seconds that it took.

        Raises Failure when a directory is not there, refuses, or takes more than `patience`
        seconds for a peer.
        """
        began = moved = time.monotonic()
        there = 0
        while self.joined < len(self.lines):
            self.turn(0.1)
            if self.losses:
                raise Failure("a directory has hung up on a peer that registers")
            now = time.monotonic()
            if self.joined > there:
                there, moved = self.joined, now
            elif now - moved > patience:
                missing = len(self.lines) - self.joined
                raise Failure(f"{missing} registrations were not answered within {patience:g} s")
        return time.monotonic() - began

    def play(self, load: float, seconds: float, patience: float) -> Offered:
        """Search `load` times a second for `seconds`, then wait for at most `patience` more."""
        offered = self._offered = Offered(load, seconds, patience)
        self._began = time.monotonic()
        dues = due_times(load, seconds, self._chance)
        due = next(dues, None)
        while due is not None or offered.unanswered:
            now = time.monotonic() - self._began
            while due is not None and due <= now:
                self._ask(due)
                due = next(dues, None)
            if now > seconds + patience:
                break
            self.turn(0.1 if due is None else min(max(due - now, 0), 0.1))
        for line in self.lines:
            if line.open:  # its answer would be taken for that of the next question
                self._lose(line)
        self._offered = None
        return offered

    def stay(self) -> None:
        """Be there until SIGTERM; say when all are registered again after a loss."""
        there = True
        while True:
            self.turn(0.1)
            missing = len(self.lines) - self.joined
            if there and missing:
                say("a directory is lost")
            elif not there and not missing:
                say("all are registered again")
            there = not missing

    def _ask(self, due: float) -> None:
        assert self._offered is not None
        self._offered.asked += 1
        words = next(self._searches)
        member = self._chance.randrange(self.plan.peers)
        asked = self.plan.split.asked(self.nick(member), words)
        question = Question(words, due, member, len(asked))
        count = len(self.plan.directories)
        frame = search_frame(words)
        for place in asked:
            line = self.lines[member * count + place]
            if line.joined:
                line.open.append(question)
                self._send(line, frame)

    def turn(self, wait: float) -> None:
        """Let in who may try, and hear whoever has something to say."""
        now = time.monotonic()
        for _ in range(len(self._waiting)):
            if self._connecting >= AT_ONCE or not self._waiting:
                break
            at, line = self._waiting.popleft()
            if at > now:
                self._waiting.append((at, line))
                continue
            self._connecting += 1
            self._selector.register(line.connect(), READ | WRITE, line)
        for key, events in self._selector.select(wait):
            line = key.data
            if line.sock is not None and events & WRITE:
                self._write(line)
            if line.sock is not None and events & READ:
                self._read(line)

    def _send(self, line: Line, frame: bytes) -> None:
        line.out += frame
        self._write(line)

    def _write(self, line: Line) -> None:
        assert line.sock is not None
        had = bool(line.out)
        try:
            if line.out:
                del line.out[: line.sock.send(line.out)]
        except BlockingIOError:
            pass
        except OSError as error:
            self._lose(line, error)
            return
        if had or not line.joined:
            self._selector.modify(line.sock, READ | WRITE if line.out else READ, line)

    def _read(self, line: Line) -> None:
        assert line.sock is not None
        try:
            piece = line.sock.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(line, error)
            return
        if not piece:
            self._lose(line)
            return
        line.decoder.feed(piece)
        while (message := line.decoder.next()) is not None:
            self._hear(line, message)

    def _hear(self, line: Line, message: Message) -> None:
        kind, data = message
        if kind == Kind.RESULT:
            if self._offered is not None:
                self._offered.received += HEADER.size + size(data)
            if self._expected is not None:
                line.found.append(_name(data))
        elif kind == Kind.RESULTS_END:
            self._answered(line)
        elif kind == Kind.STATISTICS:
            line.counted += 1
            if line.counted == 2:
                self._connecting -= 1
                self.joined += 1
                line.pause = 0.1
        elif kind == Kind.WANTED:
            self._send(line, encode(Message(Kind.ACCEPTED, data)))
        elif kind == Kind.LOGIN_ERROR and not self.losses:
            raise Failure(f"{endpoint(line.address)} refuses {self.nick(line.member)}: {data}")

    def _answered(self, line: Line) -> None:
        found, line.found = line.found, []
        if not line.open or self._offered is None:
            return
        question = line.open.popleft()
        question.open -= 1
        question.right = question.right and self._is_right(line, question, found)
        if not question.open:
            now = time.monotonic() - self._began
            self._offered.answered(question.due, now, question.right)

    def _is_right(self, line: Line, question: Question, found: list[str]) -> bool:
        """Whether a directory has found what its users have, less what the asker has itself."""
        if self._expected is None:
            return True
        plan = self.plan
        of_others = sum(
            line.place in plan.split.told(self.nick(number % plan.peers), self._names.names[number])
            for number in self._expected.numbers(question.words)
            if number % plan.peers != question.member
        )
        return self._expected.are_right(found, question.words, min(of_others, MOST_RESULTS))

    def _lose(self, line: Line, error: OSError | None = None) -> None:
        """The connection is over; the peer tries again after a pause that doubles."""
        if line.joined:
            self.joined -= 1
        else:
            self._connecting -= 1
        if line.counted == 0 and self.losses == 0 and error is not None:
            raise Failure(f"no directory at {endpoint(line.address)}: {reason(error)}")
        assert line.sock is not None
        self._selector.unregister(line.sock)
        line.close()
        self.losses += 1
        self._waiting.append((time.monotonic() + line.pause, line))
        line.pause = min(2 * line.pause, LONGEST_PAUSE)


def _name(data: str) -> str:
    try:
        return Result.parse(data).file.name
    except Malformed:
        return ""
