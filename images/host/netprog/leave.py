"""A holder's leave to fetch a file, by way of the directory (203, 204)."""

from collections.abc import Callable

from command import Failure
from desk import Desk
from finding import Order
from holders import Holder
from messages import GoAhead
from session import Session


def ask_leave(
    desk: Desk, order: Order, holder: Holder, open_door: Callable[[], bool]
) -> tuple[GoAhead, int]:
    """Where the file is to be had of `holder`, and the bytes of the question.

    `open_door` makes this peer one that others can connect to; it returns False where it is that
    already, or cannot be. Raises Failure.
    """

    def request(session: Session) -> tuple[GoAhead | None, int]:
        return session.request(holder.nick, holder.file.name)

    where, asked = desk.ask(request)
    if where is None and open_door():
        # Of one behind NAT it is to be had only by one who is not (or so we are asked).
        where, asked = desk.ask(request)
    if where is None:
        raise Failure(_why(desk, order, holder))
    return where, asked


def _why(desk: Desk, order: Order, holder: Holder) -> str:
    if order.behind_nat:
        found = desk.ask(lambda session: session.holders(*holder.content))
        if any(one.nick == holder.nick and one.port == 0 for one in found):
            return "both peers are behind NAT: neither can connect to the other"
    return "not to be had, says the directory"
