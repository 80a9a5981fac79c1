"""What each errno means, in the words of the man pages, section 2."""

from __future__ import annotations

OF_CALL = {
    ("bind", "EADDRINUSE"): "another socket has that port, or a connection of an earlier run is "
    "still in TIME_WAIT there; SO_REUSEADDR before bind allows it in the second case",
    ("bind", "EADDRNOTAVAIL"): "that address is on no interface of the host",
    ("bind", "EACCES"): "the port is below 1024 and the program may not have such a one "
    "(CAP_NET_BIND_SERVICE)",
    ("bind", "EINVAL"): "the socket is bound to an address already",
    ("listen", "EADDRINUSE"): "another socket listens on the same port",
    ("listen", "EOPNOTSUPP"): "sockets of this type have no connections (SOCK_DGRAM)",
    ("accept", "EINVAL"): "the socket does not listen",
    ("accept", "EOPNOTSUPP"): "the socket is not of type SOCK_STREAM",
    ("accept", "ECONNABORTED"): "the client gave the connection up before it was accepted",
    ("accept", "EMFILE"): "the process has as many descriptors open as it may; does it close "
    "those of earlier connections?",
    ("connect", "ECONNREFUSED"): "no socket listens on that port of that address: the server was "
    "not up yet, or bound another port or only 127.0.0.1",
    ("connect", "ETIMEDOUT"): "no answer came: the packets are dropped on the way, or the host "
    "is down",
    ("connect", "EHOSTUNREACH"): "the way to that host is missing: nobody answers for it on its "
    "network",
    ("connect", "ENETUNREACH"): "the host has no route to that network",
    ("connect", "EADDRNOTAVAIL"): "no ephemeral port is left, or the address is none to connect to",
    ("connect", "EISCONN"): "the socket is connected already",
    ("connect", "EAFNOSUPPORT"): "the address is not of the socket's family",
    ("connect", "EINPROGRESS"): "the socket is non-blocking, and the connection was still being "
    "made at the end",
    ("send", "EPIPE"): "the peer has closed or reset the connection, or the own side was shut "
    "down; without MSG_NOSIGNAL the signal SIGPIPE comes too",
    ("send", "ECONNRESET"): "the peer reset the connection: it closed with unread data, or was "
    "ended",
    ("send", "ENOTCONN"): "the socket is not connected",
    ("send", "EDESTADDRREQ"): "the socket has no peer, and no target was given",
    ("send", "EMSGSIZE"): "the message is larger than a datagram can be",
    ("send", "ECONNREFUSED"): "an earlier datagram was answered by ICMP port unreachable",
    ("recv", "ECONNRESET"): "the peer reset the connection: it closed with unread data, or was "
    "ended",
    ("recv", "ENOTCONN"): "the socket is not connected; of a server, it is the listening socket "
    "and not the one that accept returned",
    ("recv", "ECONNREFUSED"): "an earlier datagram was answered by ICMP port unreachable",
    ("recv", "ETIMEDOUT"): "the peer no longer acknowledges what it is sent",
    ("shutdown", "ENOTCONN"): "the socket is not connected, or no longer",
    ("socket", "EACCES"): "the program may not make a socket of this type",
    ("socket", "EPERM"): "the program may not make a socket of this type (CAP_NET_RAW)",
}
"""By verb and errno."""

OF_ALL = {
    "EACCES": "the program may not do that",
    "EADDRINUSE": "the address is in use already",
    "EADDRNOTAVAIL": "the address is not available on this host",
    "EAFNOSUPPORT": "the address family is not supported",
    "EAGAIN": "the socket is non-blocking and nothing could be done at once, or a timeout of the "
    "socket ran out",
    "EALREADY": "the connection is still being made",
    "EBADF": "that descriptor is not open: it was never opened, or is closed already",
    "ECONNREFUSED": "nobody listens there",
    "ECONNRESET": "the peer reset the connection",
    "EFAULT": "an address in memory that is not the program's",
    "EHOSTUNREACH": "the host cannot be reached",
    "EINTR": "a signal came",
    "EINVAL": "an argument is wrong, or the socket is not in the state for it",
    "EMFILE": "the process has as many descriptors open as it may",
    "ENETUNREACH": "the network cannot be reached",
    "ENFILE": "the machine has as many files open as it may",
    "ENOBUFS": "the kernel has no memory for it",
    "ENOMEM": "the kernel has no memory for it",
    "ENOPROTOOPT": "the option is not known at this level",
    "ENOTCONN": "the socket is not connected",
    "ENOTSOCK": "the descriptor is no socket",
    "EOPNOTSUPP": "sockets of this type cannot do it",
    "EPERM": "a firewall rule or a missing right forbids it",
    "EPIPE": "the connection is closed for sending",
    "EPROTONOSUPPORT": "the protocol is not known",
    "ETIMEDOUT": "no answer came in time",
}
"""By errno, whatever the call."""


def words_for(verb: str, errno: str) -> str:
    """Return what an errno of a call means, empty where nothing is known of it."""
    return OF_CALL.get((verb, errno)) or OF_ALL.get(errno, "")
