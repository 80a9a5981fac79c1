"""The directory as one who asks sees it: a session that is opened anew when it is lost."""

import time
from collections.abc import Callable
from typing import TypeVar

from command import Failure, endpoint, reason
from napster import Kind, Malformed
from session import Session
from sockets import until

Found = TypeVar("Found")


class Desk:
    """One user's way to the directory; `deadline` (time.monotonic) is how long it may be away.

    Its first session is opened at once. Raises Failure when there is no directory.
    """

    def __init__(self, address: tuple[str, int], nick: str, deadline: float) -> None:
        self.nick = nick
        self.deadline = deadline
        self.data_port = 0
        """Where others can connect to; 0 until `announce` has said otherwise."""
        self._address = address
        try:
            self.session = self._open()
        except OSError as error:
            raise Failure(f"no directory at {endpoint(address)}: {reason(error)}") from error

    def _open(self) -> Session:
        return until(
            self.deadline, lambda: Session.open(*self._address, self.nick, self.data_port, 0)
        )

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def ask(self, question: Callable[[Session], Found]) -> Found:
        """What `question` makes of the session; put again, once, where the session was lost.

        Raises Failure when the directory is gone, and for what cannot be asked.
        """
        try:
            return question(self.session)
        except Malformed as error:
            raise Failure(f"that cannot be asked for: {error}") from error
        except OSError as error:
            lost = reason(error)
        self.session.close()
        try:
            self.session = self._open()
            return question(self.session)
        except OSError as error:
            raise Failure(f"directory lost: {lost}; and again: {reason(error)}") from error

    def ask_until(
        self, question: Callable[[Session], Found], good: Callable[[Found], bool]
    ) -> Found:
        """The same, asked again until it is `good` or the deadline has come."""
        pause = 0.1
        while True:
            found = self.ask(question)
            left = self.deadline - time.monotonic()
            if good(found) or left <= 0:
                return found
            time.sleep(min(pause, left))
            pause = min(pause * 2, 1.0)

    def announce(self, data_port: int) -> None:
        """Tell the directory (703) where this peer takes calls. Raises Failure."""
        self.data_port = data_port
        self.ask(lambda session: session.send(Kind.DATA_PORT, str(data_port)))

    def tell(self, kind: Kind) -> None:
        """Say something that matters to nobody if the directory is away."""
        try:
            self.session.send(kind)
        except OSError:
            return
