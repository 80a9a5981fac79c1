"""Every call of Python's socket and select modules that the parser knows, on loopback."""

from __future__ import annotations

import array
import contextlib
import ctypes
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path


def stream(family: socket.AddressFamily, address: str) -> None:
    with socket.socket(family) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((address, 0))
        server.listen(5)
        thread = threading.Thread(target=talk, args=(family, server.getsockname()))
        thread.start()
        connection, _ = server.accept()
        with connection:
            while data := connection.recv(4096):
                connection.sendall(data.upper())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        thread.join()


def talk(family: socket.AddressFamily, address: tuple[object, ...]) -> None:
    with socket.socket(family) as client:
        client.connect(address)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendmsg([b'say "hi"\\\n', b"\xff\xfe\x001"])
        client.recv(7)
        client.recvmsg(100)
        with Path(__file__).open("rb") as source:
            client.sendfile(source, count=100)
        client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while client.recv(40):
                pass
        client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def datagrams() -> None:
    with (
        socket.socket(type=socket.SOCK_DGRAM) as one,
        socket.socket(type=socket.SOCK_DGRAM) as two,
    ):
        one.bind(("127.0.0.1", 0))
        two.sendto(b"x" * 100, one.getsockname())
        _, sender = one.recvfrom(64)
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            one.recvfrom_into(bytearray(10))
        one.connect(sender)
        one.send(b"")
        two.recv(1, socket.MSG_PEEK)


def unix() -> None:
    left, right = socket.socketpair()
    with left, right:
        rights = array.array("i", [0, 1])
        left.sendmsg([b"two"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        _, ancillary, _, _ = right.recvmsg(10, socket.CMSG_SPACE(8))
        for _, _, data in ancillary:
            for fd in array.array("i", data):
                os.close(fd)
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("\0abstract")
        server.listen()
        client.connect("\0abstract")
        server.accept()[0].close()
    with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(FileNotFoundError):
        client.connect("/nowhere/ä:80")


def waiting() -> None:
    read, write = os.pipe()
    select.select([read], [write], [], 1.5)
    select.select([read], [], [], 0.001)
    poll = select.poll()
    poll.register(read, select.POLLIN)
    poll.register(write, select.POLLOUT | select.POLLPRI)
    poll.poll(250)
    with select.epoll() as epoll:
        epoll.register(read, select.EPOLLIN | select.EPOLLET)
        epoll.poll(0.001)
        os.write(write, b"\n")
        epoll.poll()
        epoll.unregister(read)
    os.close(read)
    os.close(write)


def children() -> None:
    subprocess.run(["true", "a\xe4"], check=True)
    for status in (3, -signal.SIGKILL):
        child = os.fork()
        if child == 0:
            if status >= 0:
                os._exit(status)
            os.kill(os.getpid(), -status)
        os.waitpid(child, 0)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        left, right = socket.socketpair()
        right.close()
        os.write(left.fileno(), b"nobody reads this")
    os.waitid(os.P_PID, child, os.WEXITED)


def threads_that_execute() -> None:
    """Have a thread that is not the first execute another program."""
    if os.fork() == 0:
        libc = ctypes.CDLL(None)
        path = b"/bin/true"
        argv = (ctypes.c_char_p * 3)(path, b"of a thread", None)
        threading.Thread(target=libc.execv, args=(path, argv)).start()
        signal.pause()
    os.wait()


if __name__ == "__main__":
    stream(socket.AF_INET, "127.0.0.1")
    stream(socket.AF_INET6, "::1")
    datagrams()
    unix()
    waiting()
    children()
    threads_that_execute()
    with contextlib.suppress(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", 1))
    sys.exit(7)
