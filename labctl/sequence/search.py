"""Finds the flow on the wire that each open of a connection was: see `labctl.sequence.opens`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from labctl.sequence.endpoints import UNDER_WAY, concrete, covers
from labctl.sequence.flows import Flow
from labctl.sequence.matching import Matching
from labctl.sequence.moments import NEAR
from labctl.sequence.opens import Open, agrees
from labctl.sequence.waiting_flows import Queue

_FAR = 1 << 63

By = dict[object, list[Flow]]


class Search:
    """All flows, by what an open may know of its own."""

    def __init__(self, flows: Iterable[Flow], tolerance: int) -> None:
        self._tolerance = tolerance
        self._exact: By = defaultdict(list)
        self._active: Matching[Open, Flow] = Matching(self._active_choices)
        self._passive: Matching[Open, Flow] = Matching(self._passive_choices)
        to: By = defaultdict(list)
        ready: By = defaultdict(list)
        for flow in flows:
            client, server = flow.forth.host, flow.back.host
            self._exact[client, flow.client, flow.server].append(flow)
            self._exact[server, flow.server, flow.client].append(flow)
            if flow.syn is not None:
                to[client, flow.server].append(flow)
                to[client, None].append(flow)
            self._exact[server, flow.server.port, flow.client].append(flow)
            self._exact[server, None, flow.client].append(flow)
            if flow.ready is not None:
                ready[server, flow.server.port].append(flow)
        self._to = {key: Queue(found, _sent, self._active.taken) for key, found in to.items()}
        self._ready = {
            key: Queue(found, _ready, self._passive.taken) for key, found in ready.items()
        }

    def match(self, opens: Sequence[Open]) -> None:
        """Set the flow of each open, where it is found."""
        for active, matching in ((True, self._active), (False, self._passive)):
            mine = [o for o in opens if o.active is active]
            mine.sort(key=_begin if active else _end)
            self._match(mine, matching, self._known if active else self._told)
        for open_ in opens:
            if open_.active and open_.flow is None:
                open_.flow = self._crossing(open_)

    def _match(
        self,
        opens: Sequence[Open],
        matching: Matching[Open, Flow],
        certain: Callable[[Open], Sequence[Flow]],
    ) -> None:
        unsure = []
        for open_ in opens:
            flow = next((f for f in certain(open_) if not matching.taken(f)), None)
            if flow is None:
                unsure.append(open_)
            else:
                matching.take(open_, flow)
        matching.match(unsure)
        for open_ in opens:
            open_.flow = matching.given.get(id(open_))

    def _known(self, open_: Open) -> list[Flow]:
        """Return the flows of a connect whose own endpoint is known too, first the first."""
        local, host = open_.socket.local, open_.socket.host
        if local is None or local.port == 0 or open_.remote is None:
            return []
        found = self._exact.get((host, local, open_.remote), [])
        start = open_.call.start - NEAR
        return [f for f in found if f.client == local and f.begin >= start]

    def _crossing(self, open_: Open) -> Flow | None:
        """Return the flow of a connect whose SYN crossed that of the other end."""
        local, remote = open_.socket.local, open_.remote
        if local is None or remote is None:
            return None
        for flow in self._exact.get((open_.socket.host, local.port, remote), ()):
            syn = flow.crossing
            if syn is not None and open_.call.start - NEAR <= syn.time <= _end(open_) + NEAR:
                return flow
        return None

    def _told(self, open_: Open) -> list[Flow]:
        """Return the flows of an accept that was told the client's endpoint."""
        socket = open_.socket
        listening = socket.listener.local if socket.listener else None
        own = socket.local if concrete(socket.local) else listening
        found = self._exact.get((socket.host, own.port if own else None, open_.remote), [])
        return [
            flow
            for flow in found
            if flow.client == open_.remote
            and (own is None or covers(own, flow.server))
            and (flow.ready or 0) <= (_FAR if open_.latest is None else open_.latest) + NEAR
        ]

    def _active_choices(self, open_: Open) -> list[Flow]:
        if concrete(open_.socket.local) and open_.remote is not None:
            return []
        return self._likely(open_, self._sent_within)

    def _sent_within(self, open_: Open, slack: int) -> list[Flow]:
        """Return the flows whose SYN was sent during a connect."""
        queue = self._to.get((open_.socket.host, open_.remote))
        if queue is None:
            return []
        start, until = open_.call.start - slack, _end(open_) + slack
        near = queue.between(start, until)
        if not near and open_.call.errno in UNDER_WAY:
            # The kernel goes on with it; where sending is slow, the SYN is seen only later.
            near = queue.between(start, None)
        port = open_.socket.local.port if open_.socket.local else 0
        return [flow for flow in near if port in (0, flow.client.port)]

    def _passive_choices(self, open_: Open) -> list[Flow]:
        listener = open_.socket.listener
        if open_.remote is not None or listener is None or listener.local is None:
            return []
        return self._likely(open_, self._ready_before)

    def _ready_before(self, open_: Open, slack: int) -> list[Flow]:
        """Return the flows that could be accepted when an accept returned."""
        listener = open_.socket.listener
        own = listener.local if listener else None
        queue = self._ready.get((open_.socket.host, own.port if own else 0))
        near = queue.between(None, _end(open_) + slack) if queue else []
        return [flow for flow in near if covers(own, flow.server)]

    def _likely(self, open_: Open, near: Callable[[Open, int], list[Flow]]) -> list[Flow]:
        """Return those that nothing speaks against; where that is none, the only one there is.

        Stamps are believed at first, then allowed to be as wrong as clocks may be, and then as
        those of a return may be.
        """
        tried = []
        for slack in (self._tolerance, NEAR, NEAR + (open_.latest or 0) - (open_.until or 0)):
            tried.append(near(open_, slack))
            found = [flow for flow in tried[-1] if agrees(open_, flow, slack)]
            if found:
                return found
        return next((flows for flows in tried if len({id(f) for f in flows}) == 1), [])


def _begin(open_: Open) -> int:
    return open_.call.start


def _end(open_: Open) -> int:
    return _FAR if open_.until is None else open_.until


def _sent(flow: Flow) -> int:
    return flow.begin


def _ready(flow: Flow) -> int:
    return flow.ready or 0
