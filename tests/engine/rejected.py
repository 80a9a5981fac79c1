"""With what sentence each of the broken programs is rejected."""

from __future__ import annotations

MEANS = {
    "bind_after_listen": "bind was called after listen: the kernel had already given the socket"
    " an ephemeral port",
    "no_bind": "bind is missing: listen without it gives the socket an ephemeral port",
    "no_listen": "listen is missing: bind gives the socket a port but leaves it closed",
    "accept_before_listen": "accept fails with EINVAL (accept(2))",
    "never_accepts": "server never accepted this connection: the kernel completed the handshake by"
    " itself, and the connection stayed in the backlog",
    "leaks_descriptors": "close is missing: the kernel closed the socket when the process ended",
    "udp_listen": "listen was called on a socket of UDP: there are no connections to wait for",
    "udp_accept": "accept was called on a socket of UDP: there are no connections to take",
    "closes_early": "closed without having read the end of file",
    "short_reply": "closed without having read the end of file",
    "connect_twice": "connect was called a second time on a socket that is connected already",
    "ignores_refused": "connect failed with ECONNREFUSED: no socket listens on that port",
    "loopback_only": "connect failed with ECONNREFUSED: no socket listens on that port",
    "short_read": "server closed without an answer",
    "waits_for_eof": "recv never returned: client was still waiting for data from server",
    "no_newline": "recv never returned: client was still waiting for data from server",
}
"""What the pattern's verdict says that the first difference means."""

FOUND = {
    "bind_after_listen": ("refused-other-port", "bound-already"),
    "no_bind": ("refused-other-port",),
    "loopback_only": ("loopback-bound",),
    "short_read": ("short-read",),
    "leaks_descriptors": ("descriptor-leak",),
    "zombies": ("zombie",),
    "sigpipe": ("broken-pipe",),
    "waits_for_eof": ("deadlock",),
    "no_newline": ("deadlock",),
    "never_accepts": ("listen-never-accept", "backlog-overflow"),
    "no_reuseaddr": ("time-wait",),
    "closes_early": ("rst-unread",),
    "short_reply": ("short-read",),
    "epipe": ("broken-pipe",),
    "ignores_refused": ("refused-nobody",),
}
"""Which rules find out what is wrong."""

SAYS = {
    "loopback-bound": "is bound to 127.0.0.1:{port} only, which nobody but server itself can reach",
    "refused-other-port": "nothing on server listens on port {port}, but process",
    "refused-nobody": "nothing on server listens on port {port}",
    "short-read": "without calling recv again for the rest",
    "descriptor-leak": "never closed descriptor",
    "bound-already": "with EINVAL: listen was called before, so the kernel had already given",
    "zombie": "and never waited for it: it remains as a zombie",
    "broken-pipe": "although",
    "deadlock": "nothing was on its way that could have let one go on",
    "listen-never-accept": "listens on 0.0.0.0:{port} and never called accept",
    "backlog-overflow": "one more than the backlog of 0",
    "time-wait": "so that it stays in TIME-WAIT for 60 s; SO_REUSEADDR was not set",
    "rst-unread": "were unread: so its kernel sent a RST",
}
"""What each of those rules then says, of the server's port."""
