"""Whole recordings, ready-made: TCP exchanges and UDP ones, as honest kernels have them.

    recording = exchange()                       # figure 6-30: one client, one server
    recording = exchange(connections=1000, subordinates=True)
    recording = datagrams(count=3)

For a variation in the middle of one, use the steps of `Dialogue` on a `Story` of your own.
"""

from __future__ import annotations

from typing import Any

from labctl.sequence.recording import Recording
from tests.unit.sequence.build import Story, Thread

CLIENT, SERVER = "10.0.0.1", "10.0.0.2"


def tcp_socket(thread: Thread, fd: int = 3, **args: Any) -> None:
    thread.call("socket", result=fd, family="AF_INET", type="SOCK_STREAM", **args)


def listening(thread: Thread, address: str = "0.0.0.0:80", fd: int = 3, backlog: int = 5) -> None:
    """socket, bind, listen."""
    tcp_socket(thread, fd)
    thread.call("bind", fd, address=address)
    thread.call("listen", fd, backlog=backlog)


class Dialogue:
    """One TCP connection, step by step: each step makes the calls and the segments of both."""

    def __init__(
        self,
        client: Thread,
        server: Thread,
        port: int = 40000,
        *,
        client_fd: int = 3,
        server_fd: int = 4,
        listener_fd: int = 3,
        told: bool = True,
        address: str = SERVER,
        server_port: int = 80,
    ) -> None:
        """`told`: connect, accept show the addresses. `address`: the server's, `127.0.0.1` too."""
        self.story = client.story
        self.client, self.server = client, server
        self.client_fd, self.server_fd, self.listener_fd = client_fd, server_fd, listener_fd
        self.told = told
        self.loopback = client.host if address.startswith("127.") else None
        own = address if self.loopback else self.story.addresses[client.host]
        self.ends = {"client": f"{own}:{port}", "server": f"{address}:{server_port}"}
        self.next = {"client": 0, "server": 0}

    def send(self, by: str, flags: str, length: int = 0, **more: Any) -> None:
        """Put one segment on the wire, numbered as the connection goes."""
        other = "server" if by == "client" else "client"
        ack = self.next[other] if "ACK" in flags else None
        self.story.segment(
            self.ends[by],
            self.ends[other],
            flags,
            self.next[by],
            ack,
            length,
            host=self.loopback,
            **more,
        )
        self.next[by] += length + ("SYN" in flags) + ("FIN" in flags)

    def _told(self, by: str) -> dict[str, Any]:
        return {"address": self.ends[by]} if self.told else {}

    def connect(self, last_ack: bool = True) -> None:
        """The client's socket and connect, with the handshake in it."""
        tcp_socket(self.client, self.client_fd)
        call = self.client.begin("connect", self.client_fd, **self._told("server"))
        self.send("client", "SYN")
        self.send("server", "SYN-ACK")
        if last_ack:
            self.send("client", "ACK")
        self.client.end(call)

    def accept(self) -> None:
        """The server accepts a connection that waits in the backlog."""
        self.server.call("accept", self.listener_fd, self.server_fd, **self._told("client"))

    def _who(self, by: str) -> tuple[Thread, int]:
        return (self.client, self.client_fd) if by == "client" else (self.server, self.server_fd)

    def say(self, by: str, length: int, pieces: int = 1) -> None:
        """One end sends `length` bytes in one call, the other receives them in some pieces."""
        other = "server" if by == "client" else "client"
        thread, fd = self._who(by)
        call = thread.begin("sendto", fd, length=length)
        self.send(by, "PSH-ACK", length)
        thread.end(call, length)
        reader, fd = self._who(other)
        for number in range(pieces):
            part = length // pieces + (number < length % pieces)
            reader.call("recvfrom", fd, part, length=65536)
        self.send(other, "ACK")

    def close(self, by: str, fin: bool = True) -> None:
        thread, fd = self._who(by)
        call = thread.begin("close", fd)
        if fin:
            self.send(by, "FIN-ACK")
        thread.end(call)

    def end_of_data(self, by: str) -> None:
        """One end reads 0 bytes: the other's FIN."""
        thread, fd = self._who(by)
        thread.call("recvfrom", fd, 0, length=65536)


def exchange(
    connections: int = 1,
    request: int = 10,
    reply: int = 100,
    *,
    pieces: int = 1,
    told: bool = True,
    subordinates: bool = False,
    threads: bool = False,
    address: str = SERVER,
    listen_on: str = "0.0.0.0:80",
) -> Recording:
    """One server, `connections` clients one after another, each a process of its own.

    A request, a reply, the server closes first. `pieces`: of how many recv the client needs for
    the reply; `subordinates`: the server forks one for each connection, and waits for it in the
    end; `threads`: it starts a thread for each; `told=False`: neither connect nor accept show
    addresses (a tracer that cannot see them).
    """
    local = address.startswith("127.")
    story = Story(server=SERVER) if local else Story(client=CLIENT, server=SERVER)
    server = story.thread("server", 10)
    listening(server, listen_on)
    for number in range(connections):
        client = story.thread("server" if local else "client", 100 + number)
        talk = Dialogue(client, server, 40000 + number % 20000, address=address, told=told)
        talk.connect()
        talk.accept()
        if subordinates:
            talk.server = server.fork(100_000 + number)
            server.call("close", 4)
            talk.server.call("close", 3)
        elif threads:
            talk.server = server.spawn(100_000 + number)
        talk.say("client", request)
        talk.say("server", reply, pieces)
        talk.close("server")
        talk.send("client", "ACK")
        if subordinates or threads:
            talk.server.exit()
        if subordinates:
            server.call("wait4", result=talk.server.pid)
        talk.end_of_data("client")
        talk.close("client")
        talk.send("server", "ACK")
        client.exit()
    return story.recording("exchange")


def datagrams(count: int = 1, *, told: bool = True, answered: bool = True) -> Recording:
    """A client sends `count` datagrams of 10, 11, ... bytes; the server answers each with 100."""
    story = Story(client=CLIENT, server=SERVER)
    server, client = story.thread("server", 10), story.thread("client", 20)
    server.call("socket", result=3, family="AF_INET", type="SOCK_DGRAM")
    server.call("bind", 3, address="0.0.0.0:53")
    client.call("socket", result=3, family="AF_INET", type="SOCK_DGRAM")
    ends = {"client": f"{CLIENT}:50000", "server": f"{SERVER}:53"}
    shown: dict[str, dict[str, Any]] = {
        name: {"address": end} if told else {} for name, end in ends.items()
    }
    for number in range(count):
        length = 10 + number
        waiting = server.begin("recvfrom", 3, length=2048)
        call = client.begin("sendto", 3, length=length, **shown["server"])
        story.segment(ends["client"], ends["server"], protocol="udp", length=length)
        client.end(call, length)
        server.end(waiting, length, **shown["client"])
        if answered:
            waiting = client.begin("recvfrom", 3, length=2048)
            call = server.begin("sendto", 3, length=100, **shown["client"])
            story.segment(ends["server"], ends["client"], protocol="udp", length=100)
            server.end(call, 100)
            client.end(waiting, 100, **shown["server"])
    client.call("close", 3)
    server.call("close", 3)
    return story.recording("datagrams")
