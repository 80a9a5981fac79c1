"""Active and passive opens, and the flow on the wire that each was (connect(2), accept(2)).

A call often doesn't tell the whole pair of endpoints: connect doesn't name the ephemeral port,
and accept may be told to return no address. Then the flow is found by time and cause: its SYN
was sent within the connect; connections are accepted in the order in which their handshakes
were complete; nothing crosses the wire before the call that asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from labctl.sequence.descriptor_table import Kernel
from labctl.sequence.endpoints import UNDER_WAY
from labctl.sequence.events import Call, Endpoint
from labctl.sequence.flows import Flow, Way
from labctl.sequence.transfer import Transfer

UNSENT = frozenset({"EACCES", "EADDRINUSE", "EADDRNOTAVAIL", "EPERM"})
"""With these the kernel of the connect's own host says no: no SYN leaves (connect(2))."""

_ATTEMPT = (
    UNDER_WAY | UNSENT | {"ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "ECONNRESET"}
)
"""A connect that failed otherwise was no attempt: its arguments or its socket were wrong."""


@dataclass(eq=False, slots=True)
class Open:
    """One try to open a connection: a connect, or an accept that returned one.

    `until` is when it was over by its stamp, `latest` when it surely was; None if never. Of a
    connect that the kernel went on with, that is when it returned.
    """

    socket: Kernel
    call: Call
    until: int | None
    latest: int | None
    remote: Endpoint | None
    transfer: Transfer
    flow: Flow | None = None

    @property
    def active(self) -> bool:
        return self.call.name == "connect"

    @property
    def second(self) -> bool:
        """Whether it is at the server's end of its flow, as an accept is."""
        if self.flow is None or not self.active:
            return not self.active
        return self.flow.crossing is not None and self.remote == self.flow.client


def attempts(calls: Iterable[Call]) -> list[Call]:
    """Return those connects on one socket that begin an attempt, of all its calls in order."""
    found: list[Call] = []
    going_on = False
    for call in calls:
        if call.name != "connect":
            continue
        goes_on = going_on and call.errno != "EINPROGRESS"
        if not goes_on and (not call.failed or call.errno in _ATTEMPT):
            found.append(call)
        going_on = call.errno in UNDER_WAY
    return found


def agrees(open_: Open, flow: Flow, slack: int = 0) -> bool:
    """Tell whether nothing of a flow came before what must have caused it.

    `slack` is by how many nanoseconds a stamp may be wrong.
    """
    mine, other = (flow.forth, flow.back) if open_.active else (flow.back, flow.forth)
    outcome = _outcome_agrees(open_, flow, slack)
    return outcome and _data_agrees(open_.transfer, mine, other, slack)


def _outcome_agrees(open_: Open, flow: Flow, slack: int) -> bool:
    call = open_.call
    if not open_.active:
        return flow.ready is None or open_.until is None or flow.ready <= open_.until + slack
    if not call.failed and call.result == 0 and flow.syn_ack is None:
        return flow.syn is None
    if flow.syn_ack is not None and call.end is not None:
        came = flow.syn_ack.received or flow.syn_ack.sent
        if call.errno in ("ECONNREFUSED", "ETIMEDOUT"):
            return False
        return call.failed or came is None or came.time <= call.end + slack
    return True


def _data_agrees(calls: Transfer, mine: Way, other: Way, slack: int) -> bool:
    if mine.first_data is not None and (
        calls.first_send is None or mine.first_data < calls.first_send - slack
    ):
        return False
    if calls.sent is not None:
        if mine.bytes > calls.sent:
            return False
        if mine.fin is not None and mine.rst is None and mine.bytes != calls.sent:
            return False
    if calls.received is not None and calls.received > other.bytes:
        return False
    return mine.fin is None or calls.end is None or mine.fin.time >= calls.end - slack
