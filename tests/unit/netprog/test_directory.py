"""The directory as it runs: on the wire, under bad treatment, and its table."""

from __future__ import annotations

import json
import random
import signal
import socket
import struct
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.netprog.conftest import Dial, Program, Run, Start, Until

MD5 = "0123456789abcdef0123456789abcdef"
HERE = ("--host", "127.0.0.1", "--port", 0)


def test_the_whole_conversation_byte_for_byte(directory: Program, dial: Dial) -> None:
    holder, asker = dial(directory.port), dial(directory.port)
    holder.send(b'\x18\x00\x02\x00anna pw 6699 "nap v1" 10')
    accepted = b"\x14\x00\x03\x00anon@example.invalid"
    welcome = b"\x19\x00\x6d\x02Welcome to the directory."
    assert holder.exactly(len(accepted)) == accepted
    assert holder.exactly(len(welcome)) == welcome
    assert holder.exactly(9) == b"\x05\x00\xd6\x001 0 0"
    holder.send(b'\x35\x00\x64\x00"a song.mp3" 0123456789abcdef0123456789abcdef 9 0 0 0')
    # What two connections bring may be read in any order: the file is there when this is answered.
    holder.send(b"\x00\x00\xd6\x00")
    assert holder.exactly(9) == b"\x05\x00\xd6\x001 1 0"
    asker.send(b'\x11\x00\x02\x00xen pw 0 "nap" 10')
    assert asker.exactly(len(accepted) + len(welcome)) == accepted + welcome
    assert asker.exactly(9) == b"\x05\x00\xd6\x002 1 0"
    asker.send(b'\x28\x00\xc8\x00FILENAME CONTAINS "song" MAX_RESULTS 100')
    result = b'"a song.mp3" 0123456789abcdef0123456789abcdef 9 0 0 0 anna 16777343 10'
    assert asker.exactly(4 + len(result)) == b"\x46\x00\xc9\x00" + result
    assert asker.exactly(4) == b"\x00\x00\xca\x00"
    asker.send(b'\x11\x00\xcb\x00anna "a song.mp3"')
    assert holder.exactly(4 + 16) == b'\x10\x00\x5f\x02xen "a song.mp3"'
    holder.send(b'\x10\x00\x60\x02xen "a song.mp3"')
    ahead = b'anna 16777343 6699 "a song.mp3" 0123456789abcdef0123456789abcdef 10'
    assert asker.exactly(4 + len(ahead)) == b"\x43\x00\xcc\x00" + ahead
    holder.send(b"\x0a\x00\x66\x00a song.mp3")
    holder.send(b"\x00\x00\xd6\x00")
    assert holder.exactly(9) == b"\x05\x00\xd6\x002 0 0"
    asker.send(b'\x11\x00\xcb\x00anna "a song.mp3"')
    assert asker.exactly(4 + 17) == b'\x11\x00\xce\x00anna "a song.mp3"'


def test_an_unknown_type_does_not_end_the_connection(directory: Program, dial: Dial) -> None:
    line = dial(directory.port)
    line.login("a")
    for kind, data in [(999, ""), (870, "x" * 65000), (100, "nonsense"), (200, '"')]:
        line.say(kind, data)
        answer, text = line.hear()
        assert answer == 404
        assert text.startswith(f"{kind}: ")
    line.say(214)
    assert line.hear() == (214, "1 0 0")


def test_a_second_login_of_a_nick_is_refused(directory: Program, dial: Dial) -> None:
    first, second = dial(directory.port), dial(directory.port)
    first.login("a")
    second.say(2, 'a pw 1 "c" 0')
    assert second.hear() == (0, "a is logged in already")
    assert second.rest() == b""
    first.say(214)
    assert first.hear() == (214, "1 0 0")


def table(run: Run, directory: Program) -> dict[str, list[dict[str, object]]]:
    done = run("directory", "table", "--port", directory.port, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, list[dict[str, object]]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("end", ["close", "reset"])
def test_the_table_before_and_after(
    directory: Program, dial: Dial, run: Run, until: Until, end: str
) -> None:
    assert table(run, directory) == {
        "directory": ["127.0.0.1", directory.port],
        "users": [],
        "files": [],
    }
    lines = [dial(directory.port) for _ in range(2)]
    for number, line in enumerate(lines):
        line.login(f"peer-{number}", 7000 + number, link=9)
        line.say(100, f'"ä.mp3" {MD5} 12 0 0 0')
        line.say(214)
        line.hear()
    holders = [
        {"nick": f"peer-{number}", "ip": "127.0.0.1", "port": 7000 + number, "link": 9}
        for number in range(2)
    ]
    full = table(run, directory)
    assert full["files"] == [{"file": "ä.mp3", "size": 12, "md5": MD5, "holders": holders}]
    assert full["users"] == [{**holder, "files": 1} for holder in holders]
    shown = run("directory", "table", "--port", directory.port).stdout
    assert "peer-0 127.0.0.1:7000 T1, peer-1 127.0.0.1:7001 T1" in shown
    lines[0].reset() if end == "reset" else lines[0].sock.close()
    directory.wait_for("peer-0 left")
    until(lambda: table(run, directory)["files"][0]["holders"] == holders[1:])


def test_without_a_directory_the_table_says_so(run: Run) -> None:
    done = run("directory", "table", "--port", 1)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "no directory on port 1 of this host" in done.stderr


def test_who_does_not_log_in_is_sent_away(start: Start, dial: Dial) -> None:
    directory = start("directory", *HERE, "--login", 1)
    silent, half = dial(directory.port), dial(directory.port)
    half.send(b"\x18\x00\x02")
    assert silent.rest() == half.rest() == b""


def test_a_login_in_single_bytes_works(directory: Program, dial: Dial) -> None:
    line = dial(directory.port)
    for byte in struct.pack("<HH", 14, 2) + b'slow pw 1 "" 0':
        line.send(bytes([byte]))
    assert line.hear()[0] == 3


def still_works(directory: Program, dial: Dial) -> None:
    line = dial(directory.port)
    line.login("witness")
    line.say(214)
    assert line.hear()[0] == 214
    line.sock.close()
    directory.wait_for("witness left")


def test_a_client_that_never_reads_is_dropped(start: Start, dial: Dial) -> None:
    directory = start("directory", *HERE, "--patience", 1)
    holder, deaf = dial(directory.port), dial(directory.port)
    holder.login("holder")
    for number in range(100):
        holder.say(100, f'"{number} n {"n" * 900}" {MD5} 12 0 0 0')
    holder.say(214)
    assert holder.hear() == (214, "1 100 0")
    deaf.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.login("deaf")
    deaf.sock.settimeout(0.3)
    # The flood stops by itself: nothing more is read while the replies pile up.
    sent = 0
    try:
        while sent < 100_000_000:
            sent += deaf.sock.send(struct.pack("<HH", 21, 200) + b'FILENAME CONTAINS "n"')
    except (TimeoutError, ConnectionError):
        pass
    assert sent < 100_000_000
    directory.wait_for("deaf left")
    still_works(directory, dial)


def test_a_flood_leaves_the_others_their_turn(directory: Program, dial: Dial) -> None:
    flood = dial(directory.port)
    flood.login("flood")
    flood.sock.setblocking(False)
    frames = struct.pack("<HH", 0, 999) * 20_000
    for _ in range(20):
        try:
            flood.sock.send(frames)
        except BlockingIOError:
            break
    still_works(directory, dial)


def test_random_bytes_do_not_stop_it(directory: Program, dial: Dial) -> None:
    chance = random.Random(7)
    kinds = [0, 2, 3, 6, 7, 100, 102, 200, 203, 204, 214, 404, 607, 608, 703, 65535]
    for number in range(60):
        line = dial(directory.port)
        if number % 2:
            line.login(f"n{number}")
        try:
            for _ in range(20):
                data = chance.randbytes(chance.randrange(60))
                if chance.random() < 0.2:
                    line.send(data)
                else:
                    line.send(struct.pack("<HH", len(data), chance.choice(kinds)) + data)
        except ConnectionError:
            pass
        line.reset() if number % 3 else line.sock.close()
    still_works(directory, dial)


def test_ends_cleanly_and_gives_the_port_back(
    kept_port: int, dial: Dial, start: Start, run: Run
) -> None:
    where = ("directory", "serve", "--port", kept_port, "--host", "127.0.0.1")
    directory = start(*where)
    dial(directory.port).login("a")
    taken = run(*where)
    assert (taken.returncode, taken.stderr.count("\n")) == (1, 1)
    assert "Address already in use" in taken.stderr
    assert directory.stop(signal.SIGTERM) == 0
    again = start(*where)
    assert again.port == kept_port


def test_a_reader_of_its_table_that_does_not_read_keeps_neither_port_nor_connections(
    kept_port: int, dial: Dial, start: Start
) -> None:
    where = ("directory", "--port", kept_port, "--host", "127.0.0.1")
    directory = start(*where)
    holder = dial(directory.port)
    holder.login("holder")
    for number in range(1000):
        holder.say(100, f'"{number} {"n" * 900}" {MD5} 12 0 0 0')
    holder.say(214)
    assert holder.hear() == (214, "1 1000 0")
    with socket.socket(socket.AF_UNIX) as reader:
        reader.settimeout(10)
        reader.connect(f"\0directory:{kept_port}")
        assert reader.recv(1)  # so a child writes to it, and more than its buffer holds
        assert directory.stop() == 0
        assert holder.rest() == b""
        assert start(*where).port == kept_port


def test_help_names_both_commands(run: Run) -> None:
    done = run("directory", "--help")
    assert done.returncode == 0
    assert "serve" in done.stdout
    assert "table" in done.stdout
    assert run("directory", "--port", "x").returncode == 2
