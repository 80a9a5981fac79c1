"""Programs that stop reading, that tell what each send took, and that choose below the socket."""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

import chosen
import pausing
import pytest
from command import Failure
from lettered import message, shown

from tests.unit.netprog.echo import children

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import Dial, FakeServer, Program, Run, Start, Until

LOCAL = ("--host", "127.0.0.1", "--port", 0)


def report(run: Run, *words: object) -> dict[str, Any]:
    """What a program reports as JSON."""
    done = run(*map(str, words), "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def bound(program: Program) -> int:
    """The port of a UDP program."""
    return int(program.wait_for(r"receiving on \S+:(\d+)")[1])


def test_letters_tell_messages_apart() -> None:
    assert message(0, 3) + message(27, 2) == b"aaabb"
    assert shown(b"aaabba") == "a×3 b×2 a×1"
    assert shown(b"") == ""
    assert shown(b"abcdefgh") == "a×1 b×1 c×1 d×1 e×1 f×1 ..."
    assert shown(b"\xff\xff") == "\\xff×2"


def test_send_blocks_until_the_receiver_is_told_to_go_on(start: Start, until: Until) -> None:
    receiver = start("slow_receiver", *LOCAL, "--rcvbuf", 20000, "--stop-after", 1000)
    sender = start(
        *("stream_sender", "127.0.0.1", "--port", receiver.port),
        *("--messages", 20, "--sndbuf", 20000),
    )
    receiver.wait_for("stopped reading after 1000 bytes, until SIGUSR1")
    # It sleeps: since the receiver has bytes of it, that is in a send.
    until(lambda: children(os.getpid())[sender.process.pid] == "S")
    time.sleep(0.3)  # so that the send that is blocked is so for longer than what is said
    assert sender.process.poll() is None
    receiver.process.send_signal(signal.SIGUSR1)
    receiver.wait_for("reading again after")
    sender.wait_for(r"took 65536 of 65536 bytes, blocked (0\.[2-9]|[1-9])")
    sender.wait_for(r"sent 1310720 bytes in 20 sends, blocked [1-9]")
    receiver.wait_for("end: 1310720 bytes")
    assert sender.process.wait(10) == 0


def test_a_receiver_goes_on_by_itself_after_its_pause(start: Start, run: Run) -> None:
    receiver = start("slow_receiver", *LOCAL, "--stop-after", 0, "--pause", 0.2)
    run("stream_sender", "127.0.0.1", "--port", receiver.port, "--size", 10)
    receiver.wait_for("stopped reading after 0 bytes, for 0.2 s")
    receiver.wait_for(r"reading again after (0\.[2-9]|[1-9])")
    receiver.wait_for("end: 10 bytes in 1 recv of 10 to 10 bytes")


def test_a_signal_before_the_stop_is_forgotten(start: Start, run: Run) -> None:
    receiver = start("slow_receiver", *LOCAL, "--stop-after", 0, "--pause", 0.4)
    port = receiver.port
    receiver.process.send_signal(signal.SIGUSR1)
    run("stream_sender", "127.0.0.1", "--port", port, "--size", 10)
    receiver.wait_for(r"reading again after 0\.[4-9]|reading again after [1-9]")


def test_a_signal_that_comes_when_a_pause_is_about_to_block_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its handler runs when `select` has ended: so it must end, and be called again."""
    before = signal.getsignal(signal.SIGUSR1)
    pause = pausing.Pause()
    waits: list[float | None] = []

    def late(
        read: list[int], write: list[int], other: list[int], patience: float | None
    ) -> tuple[list[int], list[int], list[int]]:
        waits.append(patience)
        if len(waits) == 1:
            os.kill(os.getpid(), signal.SIGUSR1)
            return [], [], []
        return wait(read, write, other, patience)

    wait = select.select
    monkeypatch.setattr(select, "select", late)
    try:
        pause.wait(None)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert waits == [pausing.AGAIN, pausing.AGAIN]


def test_one_recv_may_return_what_several_sends_sent(start: Start, run: Run) -> None:
    receiver = start("slow_receiver", *LOCAL, "--stop-after", 0, "--each")
    done = report(
        *(run, "stream_sender", "127.0.0.1", "--port", receiver.port, "--messages", 3),
        *("--size", 100, "--nodelay"),
    )
    assert [sent[:2] for sent in done["sends"]] == [[100, 100]] * 3
    receiver.wait_for("stopped")
    receiver.process.send_signal(signal.SIGUSR1)
    receiver.wait_for("recv 1: 300 of 65536 bytes: a×100 b×100 c×100")


def test_a_sender_that_does_not_wait_says_eagain(start: Start, until: Until) -> None:
    receiver = start("slow_receiver", *LOCAL, "--stop-after", 0)
    sender = start(
        *("stream_sender", "127.0.0.1", "--port", receiver.port),
        *("--size", 20_000_000, "--nonblocking"),
    )
    sender.wait_for("EAGAIN: the buffer is full; waiting for room")
    receiver.wait_for("stopped")
    receiver.process.send_signal(signal.SIGUSR1)
    sender.wait_for("sent 20000000 bytes")
    receiver.wait_for("end: 20000000 bytes")


def test_until_full_ends_at_the_first_eagain(start: Start, run: Run) -> None:
    receiver = start("slow_receiver", *LOCAL, "--stop-after", 0)
    done = report(
        *(run, "stream_sender", "127.0.0.1", "--port", receiver.port),
        *("--size", 50_000_000, "--until-full"),
    )
    assert 10_000 < done["bytes"] < 50_000_000
    assert done["sends"][-1][1] == 0


def test_a_sender_gives_up_in_time(start: Start, run: Run) -> None:
    receiver = start("slow_receiver", *LOCAL, "--stop-after", 0)
    done = run(
        *("stream_sender", "127.0.0.1", "--port", receiver.port),
        *("--size", 50_000_000, "--timeout", 0.3),
    )
    assert done.returncode == 1
    assert "no answer in time after" in done.stderr


def test_a_client_that_says_nothing_or_vanishes_does_not_end_the_receiver(
    start: Start, run: Run, dial: Dial
) -> None:
    receiver = start("slow_receiver", *LOCAL, "--timeout", 0.2)
    silent = dial(receiver.port)
    receiver.wait_for("lost: no answer in time")
    silent.sock.close()
    # Whoever is halted for so long on the way counts as silent as well.
    with receiver.halted():
        broken = dial(receiver.port)
        broken.send(b"x" * 10)
        broken.reset()
    receiver.wait_for("lost: Connection reset by peer")
    with receiver.halted():
        run("stream_sender", "127.0.0.1", "--port", receiver.port, "--size", 7)
    receiver.wait_for("end: 7 bytes")
    assert receiver.stop() == 0


def test_a_stopped_receiver_ends_cleanly(start: Start, run: Run) -> None:
    receiver = start("slow_receiver", *LOCAL, "--stop-after", 0)
    run("stream_sender", "127.0.0.1", "--port", receiver.port, "--size", 7)
    receiver.wait_for("stopped")
    assert receiver.stop() == 0


def test_datagrams_keep_their_boundaries(start: Start, run: Run) -> None:
    receiver = start("datagram_receiver", *LOCAL, "--stop-after", 0, "--count", 3)
    port = bound(receiver)
    done = run("datagram_sender", "127.0.0.1", "--port", port, "--messages", 3, "--size", 50)
    assert f"sent 3 datagrams, 150 bytes, to 127.0.0.1:{port}" in done.stdout
    receiver.wait_for("stopped reading after 0 datagrams")
    receiver.process.send_signal(signal.SIGUSR1)
    receiver.wait_for(r"datagram 3 from \S+: 50 bytes: c×50")
    assert receiver.process.wait(10) == 0


def test_what_a_buffer_is_too_short_for_is_cut(start: Start, run: Run) -> None:
    receiver = start("datagram_receiver", *LOCAL, "--size", 20)
    run("datagram_sender", "127.0.0.1", "--port", bound(receiver), "--size", 50)
    receiver.wait_for(r"datagram 1 from \S+: 20 bytes, cut: MSG_TRUNC: a×20")
    run("datagram_sender", "127.0.0.1", "--port", bound(receiver), "--size", 0)
    receiver.wait_for(r"datagram 2 from \S+: 0 bytes: $")
    assert receiver.stop() == 0


@pytest.fixture(scope="module")
def tcp(start_once: Start) -> int:
    return start_once("exchange_server", *LOCAL, "--timeout", 2).port


@pytest.fixture(scope="module")
def udp(start_once: Start) -> int:
    return bound(start_once("exchange_server", "--udp", *LOCAL))


@pytest.mark.parametrize("size", [0, 1, 65507])
def test_the_same_exchange_over_both(run: Run, tcp: int, udp: int, size: int) -> None:
    for words in (("--port", tcp), ("--port", udp, "--udp")):
        more = ("--size", size, "--request", 5000, "--count", 2)
        done = report(run, "exchange_client", "127.0.0.1", *words, *more)
        assert (done["bytes"], len(done["seconds"])) == (2 * size, 2)


def test_a_request_may_come_byte_by_byte_or_two_at_once(tcp: int, dial: Dial) -> None:
    line = dial(tcp)
    for byte in b"size 3.....\n":
        line.send(bytes([byte]))
    assert line.exactly(3) == b"xxx"
    line.send(b"size" + b"2" * 100_000 + b"\n")
    assert line.exactly(len(b"ERR a request is: size <n>\n")).startswith(b"ERR a request")


def test_garbage_and_silence_do_not_end_the_server(
    run: Run, tcp: int, udp: int, dial: Dial
) -> None:
    dial(tcp).reset()
    dial(tcp).send(b"\xff\0garbage")  # no line's end: it is given up after 2 s
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for datagram in (b"", b"\xff", b"size 99999999\n", b"size 65508\n"):
            sock.sendto(datagram, ("127.0.0.1", udp))
            sock.settimeout(10)
            assert sock.recv(100).startswith(b"ERR ")
    for words in (("--port", tcp), ("--port", udp, "--udp")):
        assert run("exchange_client", "127.0.0.1", *words).returncode == 0


def test_what_was_chosen_is_told_with_what_the_kernel_made_of_it(run: Run, tcp: int) -> None:
    choices = ("--sndbuf", 10000, "--rcvbuf", 10000, "--mss", 500, "--nodelay")
    done = report(run, "exchange_client", "127.0.0.1", "--port", tcp, *choices)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 10000)
        made = sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    assert done["choices"][0].endswith(f"asked 10000, is {made}")
    assert done["options"]["SO_SNDBUF"] == made
    assert done["options"]["TCP_NODELAY"] == 1
    assert done["options"]["TCP_MAXSEG"] < 500
    more = report(
        *(run, "exchange_client", "127.0.0.1", "--port", tcp),
        *("--mss", 500, "--size", 10000),
    )
    assert more["segments"] >= 20


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("exchange_client", "127.0.0.1", "--mss", 1), 1, "TCP_MAXSEG 1: Invalid argument"),
        (("exchange_client", "127.0.0.1", "--udp", "--nodelay"), 1, "is an option of TCP"),
        (("exchange_client", "127.0.0.1", "--sndbuf", "x"), 2, "is no number"),
        (("exchange_client", "no.such.host.invalid"), 1, "no.such.host.invalid:9300"),
        (("stream_sender", "127.0.0.1", "--port", 1), 1, "refused"),
        (("stream_sender", "127.0.0.1", "--port", 70000), 2, "is no number"),
        (("datagram_sender", "127.0.0.1", "--size", 65508), 1, "too long"),
        (("slow_receiver", "--size", 0), 2, "is no length"),
        (("slow_receiver", "--host", "192.0.2.1"), 1, "cannot listen on 192.0.2.1"),
        (("datagram_receiver", "--host", "192.0.2.1"), 1, "cannot bind to 192.0.2.1"),
        (("exchange_server", "--host", "192.0.2.1"), 1, "cannot bind to 192.0.2.1"),
    ],
)
def test_wrong_words_are_one_line(
    run: Run, words: tuple[object, ...], code: int, said: str
) -> None:
    done = run(*words)
    assert done.returncode == code
    assert said in done.stderr.splitlines()[-1]
    assert code == 2 or len(done.stderr.splitlines()) == 1


def test_a_port_in_use_is_told(run: Run, tcp: int, udp: int) -> None:
    for words in (
        ("slow_receiver", "--port", tcp),
        ("exchange_server", "--port", tcp),
        ("exchange_server", "--udp", "--port", udp),
        ("datagram_receiver", "--port", udp),
    ):
        done = run(*words, "--host", "127.0.0.1")
        assert (done.returncode, "in use" in done.stderr) == (1, True), done.stderr


def test_a_reply_that_is_cut_short_is_an_error(run: Run, fake_server: FakeServer) -> None:
    def cut(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(b"xxx")

    done = run("exchange_client", "127.0.0.1", "--port", fake_server(cut), "--size", 10)
    assert done.returncode == 1
    assert "cut short after 3 of 10 bytes" in done.stderr


def test_a_server_without_descriptors_goes_on(start: Start, run: Run, dial: Dial) -> None:
    import resource

    server = start("exchange_server", *LOCAL)
    port = server.port
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (3, 4096))
    dial(port).reset()  # accept has taken a descriptor for this one before it came
    server.wait_for("accept: Too many open files")
    waiting = dial(port)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (1024, 4096))
    waiting.send(b"size 2\n")
    assert waiting.exactly(2) == b"xx"


def test_an_option_of_tcp_is_refused_on_udp() -> None:
    options = argparse.Namespace(mss=500)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
        pytest.raises(Failure, match="TCP_MAXSEG is an option of TCP"),
    ):
        chosen.choose(sock, options)


def test_the_place_in_tcp_info_is_right() -> None:
    from exchange_client import DATA_SEGMENTS_IN, segments

    # linux/tcp.h: 8 bytes, 24 numbers of 32 bits, 4 of 64, then segs_out, segs_in,
    # notsent_bytes, min_rtt, data_segs_in.
    assert struct.calcsize("=8B24I4Q4I") == DATA_SEGMENTS_IN
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
        listener.accept()[0] as server,
    ):
        assert segments(client) == 0
        server.sendall(b"x")
        assert client.recv(1) == b"x"
        assert segments(client) == 1
