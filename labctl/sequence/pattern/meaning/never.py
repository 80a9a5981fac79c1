"""What it means when a call was made that never should be."""

from __future__ import annotations

from labctl.sequence.events import Call
from labctl.sequence.pattern.meaning.errnos import words_for
from labctl.sequence.verbs import verb

_OF_UDP = {
    "listen": "A socket of UDP has no connections to wait for: this one was made with "
    "SOCK_STREAM, or listen failed.",
    "accept": "A socket of UDP has no connections to take: recv gets the datagrams of all peers.",
    "connect": "With UDP connect sends nothing; it fixes the peer, and datagrams of all others "
    "are dropped.",
}
_OF_TCP = {
    "connect": "connect is the active open, a client's; a server waits with listen and accept.",
    "listen": "listen makes a socket passive: the program waits to be called, as a server does.",
    "accept": "accept takes connections of others, as a server does.",
    "bind": "bind fixes the port; a client leaves it to the kernel, which chooses a free "
    "ephemeral one.",
}


def never_meaning(call: Call, protocol: str | None) -> str:
    """Return a sentence on a call, empty where there is nothing to say."""
    if call.errno and (words := words_for(verb(call.name), call.errno)):
        return f"{call.errno}: {words}."
    table = _OF_UDP if protocol == "udp" else _OF_TCP
    return table.get(verb(call.name), "")
