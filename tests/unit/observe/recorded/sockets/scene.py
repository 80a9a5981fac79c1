"""Makes sockets of every kind, prints what each descriptor is as JSON, and stays."""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time

REUSE = (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
made: dict[str, socket.socket] = {}


def new(name: str, family: int = socket.AF_INET, kind: int = TCP) -> socket.socket:
    made[name] = socket.socket(family, kind)
    return made[name]


def bound(name: str, address: object, family: int = socket.AF_INET, kind: int = TCP):
    one = new(name, family, kind)
    one.bind(address)
    return one


def tcp() -> None:
    new("empty").setsockopt(*REUSE)
    bound("bound", ("127.0.0.1", 0))
    listener = bound("listener", ("", 0))
    listener.listen(3)
    made["client"] = socket.create_connection(listener.getsockname())
    made["accepted"], _ = listener.accept()
    made["client"].send(b"unread!")
    made["waiting"] = socket.create_connection(listener.getsockname())
    made["waiting"].send(b"early")
    gone = socket.create_connection(listener.getsockname())
    gone.close()
    full = bound("full", ("127.0.0.1", 0))
    full.listen(0)
    made["only"] = socket.create_connection(full.getsockname())
    trying = new("trying")
    trying.setblocking(False)
    trying.connect_ex(full.getsockname())
    bound("listener6", ("::1", 0), socket.AF_INET6).listen(7)


def time_wait() -> None:
    with bound("once", ("127.0.0.1", 0)) as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname()) as first:
            second, _ = listener.accept()
            first.close()
            second.close()
    del made["once"]


def udp() -> None:
    new("datagrams", kind=UDP)
    receiver = bound("receiver", ("127.0.0.1", 0), kind=UDP)
    sender = new("sender", kind=UDP)
    sender.connect(receiver.getsockname())
    sender.send(b"hello")


def unix() -> None:
    made["left"], made["right"] = socket.socketpair()
    bound("path", "/tmp/labctl.sock", socket.AF_UNIX).listen(2)
    bound("abstract", "\0labctl", socket.AF_UNIX, UDP)


def told(one: socket.socket) -> dict[str, object]:
    try:
        peer = one.getpeername()
    except OSError:
        peer = None
    local = one.getsockname()
    return {
        "fd": one.fileno(),
        "family": one.family.name,
        "type": one.type.name,
        "local": local.decode() if isinstance(local, bytes) else local,
        "remote": peer,
        "blocking": one.getblocking(),
    }


def main() -> None:
    tcp()
    time_wait()
    udp()
    unix()
    poll = select.epoll()
    for name in ("listener", "receiver"):
        poll.register(made[name], select.EPOLLIN)
    child = os.fork()
    if child:
        zombie = os.fork()
        if not zombie:
            os._exit(0)
        os.waitid(os.P_PID, zombie, os.WEXITED | os.WNOWAIT)
        numbers = {"pid": os.getpid(), "child": child, "zombie": zombie, "epoll": poll.fileno()}
        print(json.dumps({**numbers, "sockets": {n: told(s) for n, s in made.items()}}))
        sys.stdout.flush()
    time.sleep(1000)


main()
