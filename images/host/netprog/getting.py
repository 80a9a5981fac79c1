"""Getting a file from its holders: the last two of Napster's four steps.

A holder that cannot be connected to is asked, by way of the directory, to connect out and
bring the file (500). What has come is kept when a holder goes, and the next one of the same
file goes on from there.
"""

import time
from dataclasses import replace

from command import Failure, reason
from desk import Desk
from door import Door
from downloader import CutShort, Download, Manner, Unreachable, WrongBytes, download, take_push
from finding import Order, Step, find
from holders import Content, Holder, ordered, without
from leave import ask_leave
from messages import GoAhead, Wish
from napster import Kind, Malformed
from receiving import Arrival, CannotWrite

MOST_RESUMES = 9

PUSH_SECONDS = 10.0
"""How long a holder that was asked to connect out may take."""

QUEUE_TIMES = 10
"""So many times its patience one waits for the first byte of a holder if there is no other."""


class Getting:
    """One file on its way: which holders are left, who has given bytes, who failed and why."""

    def __init__(self, desk: Desk, order: Order, manner: Manner, arrival: Arrival) -> None:
        self.failed: list[dict[str, str]] = []
        self.steps: list[Step] = []
        self._desk = desk
        self._order = order
        self._manner = manner
        self._arrival = arrival
        self._content: Content | None = None
        """Of which file the bytes are that have come."""
        self._givers: set[str] = set()
        """From whom they are, nicks in lower case."""
        self._liars: set[str] = set()
        self._tried: set[str] = set()
        self._door: Door | None = None

    def close(self) -> None:
        if self._door is not None:
            self._door.close()

    def run(self, holders: list[Holder]) -> tuple[Holder, GoAhead, Download]:
        """Steps 3 and 4: have it of one holder after the other until it is whole and right.

        Raises Failure when none delivers it within the desk's deadline.
        """
        row = ordered(holders, nearest=self._order.nearest)
        again = 0.1
        while row:
            holder = row.pop(0)
            self._tried.add(holder.nick.lower())
            try:
                return self._get_from(holder, alone=not row)
            except CannotWrite:
                raise
            except WrongBytes as error:
                self._arrival.restart()
                mixed = self._givers - {holder.nick.lower()}
                self._givers.clear()
                if mixed:
                    # Whose bytes were wrong is not known: this one alone from the beginning.
                    row.insert(0, holder)
                else:
                    self._fail(holder, str(error))
                    self._liars.add(holder.nick.lower())
            except (Failure, OSError, Malformed) as error:
                self._fail(holder, reason(error) if isinstance(error, OSError) else str(error))
            if not row:
                row = self._others(holder)
                if not row:
                    row, again = self._again(holder, again)
        tried = "; ".join(f"{failure['nick']}: {failure['why']}" for failure in self.failed)
        raise Failure(f"{self._order.name}: no holder delivers it: {tried}")

    def _fail(self, holder: Holder, why: str) -> None:
        failure = {"nick": holder.nick, "why": why}
        if failure not in self.failed:
            self.failed.append(failure)

    def _others(self, holder: Holder) -> list[Holder]:
        """Who has the same file under whatever name, and has not been asked (215, 216)."""
        md5, bytes_ = self._content or holder.content
        try:
            found = self._desk.ask(lambda session: session.holders(md5, bytes_))
        except Failure:
            return []
        same = [Holder(one.nick, one.ip, replace(one.file, md5=md5, size=bytes_)) for one in found]
        return without(same, self._tried | self._order.own, self._order.only)

    def _again(self, holder: Holder, pause: float) -> tuple[list[Holder], float]:
        """All that did not lie, after a pause, as long as there is time; and the next pause."""
        left = self._desk.deadline - time.monotonic()
        if left <= 0:
            return [], pause
        time.sleep(min(pause, left))
        try:
            holders, _ = self._desk.ask(lambda session: find(session, self._order))
        except Failure:
            holders = []
        kept = without(holders, self._liars, None)
        if not kept and holder.nick.lower() not in self._liars:
            kept = [holder]
        return kept, min(pause * 2, 1.0)

    def _get_from(self, holder: Holder, *, alone: bool) -> tuple[Holder, GoAhead, Download]:
        if self._content != holder.content:
            if self._arrival.size:
                self._arrival.restart()
            self._givers.clear()
            self._content = holder.content
        where, self.steps = self._allowed(holder)
        manner = self._manner
        if alone:
            manner = replace(manner, queue=manner.patience * QUEUE_TIMES)
        self._desk.tell(Kind.DOWNLOAD_BEGUN)
        try:
            done = self._download(where, holder, manner)
        finally:
            self._desk.tell(Kind.DOWNLOAD_ENDED)
        here, there = done.local, done.remote
        asked = f"ask {holder.nick} for the file"
        if not where.port or done.remote[1] != where.port:
            asked = f"{holder.nick} has connected: tell it from which byte on"
        self.steps += [
            Step(3, asked, here, there, *done.asked),
            Step(4, "the file", there, here, done.bytes, done.seconds),
        ]
        return holder, where, done

    def _allowed(self, holder: Holder) -> tuple[GoAhead, list[Step]]:
        """The directory's leave and the holder's port (203, 204). Raises Failure."""
        started = time.monotonic()
        where, asked = ask_leave(self._desk, self._order, holder, self._open_door)
        session = self._desk.session
        what = f"ask the directory for the port of {holder.nick}"
        took = time.monotonic() - started
        return where, [Step(3, what, session.local, session.remote, asked, took)]

    def _open_door(self) -> bool:
        """Be one who can be connected to; False where that is so already, or cannot be."""
        if self._order.behind_nat or self._door is not None:
            return False
        self._door = Door()
        self._desk.announce(self._door.port)
        return True

    def _download(self, where: GoAhead, holder: Holder, manner: Manner) -> Download:
        """Go on with a new connection where one broke off, a few times."""
        for left in reversed(range(MOST_RESUMES + 1)):
            before = self._arrival.size
            try:
                return self._once(where, holder, manner)
            except CutShort:
                if self._arrival.size == before or not left:
                    raise
            finally:
                if self._arrival.size > before:
                    self._givers.add(holder.nick.lower())
        raise AssertionError("unreachable")

    def _once(self, where: GoAhead, holder: Holder, manner: Manner) -> Download:
        if not where.port:
            return self._pushed(holder, manner, "it is behind NAT")
        try:
            return download(where, holder.file, manner, self._arrival)
        except Unreachable as error:
            return self._pushed(holder, manner, f"it cannot be reached ({error})")

    def _pushed(self, holder: Holder, manner: Manner, why: str) -> Download:
        """Have the holder connect out and bring the file (500). Raises Failure as download."""
        if self._order.behind_nat:
            raise Failure(f"{why}, and so is this peer: neither can connect to the other")
        self._open_door()
        door, session = self._door, self._desk.session
        assert door is not None
        session.send(Kind.PUSH, Wish(holder.nick, holder.file.name).data())
        patience = min(manner.patience, PUSH_SECONDS)
        deadline = time.monotonic() + patience
        while (left := deadline - time.monotonic()) > 0:
            message = session.receive(left, door.fileno())
            if message is None:
                caller = door.answer({holder.nick.lower(): holder.file})
                if caller is not None:
                    return take_push(caller[0], holder.file, manner, self._arrival)
            elif message.kind in (Kind.NOT_TO_BE_HAD, Kind.ERROR):
                raise Failure(f"{why}, and the directory cannot have it pushed")
        raise Failure(f"{why}, and it has not connected to this peer within {patience:g} s")
