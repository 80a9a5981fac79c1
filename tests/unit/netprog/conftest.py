"""Running the socket programs of a lab host on this machine's loopback."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

NETPROG = Path(__file__).parents[3] / "images" / "host" / "netprog"
sys.path.insert(0, str(NETPROG))

PATIENCE = 10.0
"""Seconds after which a condition that has not come true fails the test."""

IMPATIENT = {"RES_OPTIONS": "timeout:1 attempts:1"}
"""Where no name server answers, the resolver would try for longer than a program may run here
(resolv.conf(5))."""


class Program:
    """A program that runs: its lines of output as they come, and its end."""

    def __init__(self, name: str, *words: str) -> None:
        command = [sys.executable, str(NETPROG / f"{name}.py"), *words]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()

    def wait_for(self, pattern: str, times: int = 1, patience: float = PATIENCE) -> re.Match[str]:
        """The `times`-th line that matches; fails the test when it does not come."""

        def found() -> list[re.Match[str]]:
            return [m for line in self.lines if (m := re.search(pattern, line))]

        with self._changed:
            came = self._changed.wait_for(lambda: len(found()) >= times, patience)
            assert came, f"no line {pattern!r} in {self.lines}"
            return found()[times - 1]

    def stop_reading(self) -> None:
        """Wait for its last line: it has ended."""
        self._reader.join(PATIENCE)

    @property
    def port(self) -> int:
        """The port it says it listens on."""
        return int(self.wait_for(r"listening on \S+:(\d+)")[1])

    @contextlib.contextmanager
    def halted(self) -> Iterator[None]:
        """It stands still meanwhile: what is sent to it is all there when it goes on."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal and give back the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code


Start = Callable[..., Program]
Run = Callable[..., "subprocess.CompletedProcess[str]"]
Until = Callable[[Callable[[], object]], None]
FakeServer = Callable[[Callable[[socket.socket], None]], int]


@contextlib.contextmanager
def programs_that_stop() -> Iterator[Start]:
    programs: list[Program] = []

    def begin(name: str, *words: object) -> Program:
        programs.append(Program(name, *map(str, words)))
        return programs[-1]

    yield begin
    for program in programs:
        if program.process.poll() is None:
            program.stop()
    for program in programs:
        assert not any("Traceback" in line for line in program.lines), program.lines


@pytest.fixture
def start() -> Iterator[Start]:
    """Start programs by name and arguments; at the end they stop, and none may have raised."""
    with programs_that_stop() as begin:
        yield begin


@pytest.fixture
def directory(start: Start) -> Program:
    """A directory of the test's own, on any free port."""
    return start("directory", "--host", "127.0.0.1", "--port", 0)


@pytest.fixture(scope="module")
def start_once() -> Iterator[Start]:
    """The same for programs that all tests of a module use."""
    with programs_that_stop() as begin:
        yield begin


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a program to its end."""

    def call(
        name: str, *words: object, before: Callable[[], None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(NETPROG / f"{name}.py"), *map(str, words)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
            env=os.environ | IMPATIENT,
            preexec_fn=before,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return call


@pytest.fixture(scope="session")
def until() -> Until:
    """Wait until a condition is true; fails the test when it does not become so."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in time"
            time.sleep(0.02)

    return wait


@pytest.fixture
def fake_server() -> Iterator[FakeServer]:
    """A server made of a function that is called with each connection; gives its port."""
    listeners: list[socket.socket] = []

    def serve(answer: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    connection.settimeout(PATIENCE)
                    with connection, contextlib.suppress(ConnectionError):
                        answer(connection)

        threading.Thread(target=accept, daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    yield serve
    for listener in listeners:
        # close alone would leave the thread in accept.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture
def kept_port() -> Iterator[int]:
    """A TCP port on which nobody listens, and which nobody else is given: a socket is bound to it.
    A server, which has SO_REUSEADDR, can listen there all the same."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@pytest.fixture
def kept_udp_port() -> Iterator[int]:
    """A UDP port at which nobody is there, and which nobody else is given: the socket that is bound
    to it lets only itself in."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.connect(sock.getsockname())
        yield sock.getsockname()[1]


class Line:
    """A connection on which a test says byte for byte what it likes."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), PATIENCE)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def exactly(self, count: int) -> bytes:
        """The next `count` bytes (fewer when the other side closes)."""
        received = b""
        while len(received) < count and (piece := self.sock.recv(count - len(received))):
            received += piece
        return received

    def rest(self) -> bytes:
        """Everything until the other side closes or resets."""
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := self.sock.recv(1 << 16):
                received += piece
        return received

    def say(self, kind: int, data: str = "") -> None:
        """Send one Napster frame, made here and not by the program's own codec."""
        self.send(struct.pack("<HH", len(data.encode()), kind) + data.encode())

    def hear(self) -> tuple[int, str]:
        """The next Napster frame."""
        header = self.exactly(4)
        assert len(header) == 4, f"the connection has ended: {header!r}"
        length, kind = struct.unpack("<HH", header)
        return kind, self.exactly(length).decode()

    def login(self, nick: str, port: int = 6699, link: int = 0) -> None:
        self.say(2, f'{nick} secret {port} "test" {link}')
        assert [self.hear()[0] for _ in range(3)] == [3, 621, 214]

    def reset(self) -> None:
        """End the connection with RST instead of FIN, as a crash may."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Dial = Callable[[int], Line]


@pytest.fixture
def dial() -> Iterator[Dial]:
    """Connect to a port of this machine."""
    lines: list[Line] = []

    def connect(port: int) -> Line:
        lines.append(Line(port))
        return lines[-1]

    yield connect
    for line in lines:
        line.sock.close()
