"""`labctl dissect` of files: what it prints and writes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labctl.cli import dissected_files, main
from labctl.errors import CheckFailed, LabctlError, MachineError, UsageError
from labctl.observe.capture import merge
from tests.unit.observe.capture.made import Wire, udp
from tests.unit.observe.dissect.made_messages import AGENT, CLIENT, Counter32, message

NAME = "1.3.6.1.2.1.7.1.0"
REQUEST = message((NAME, None), request_id=7)
RESPONSE = message((NAME, Counter32(12)), request_id=7, pdu=2)


def written(folder: Path, *sent: tuple[str, str, bytes]) -> Path:
    wire = Wire(snaplen=65535)
    for number, (source, target, data) in enumerate(sent):
        wire.send(udp(source, target, data, number=number))
    file = folder / "packets.pcapng"
    file.write_bytes(b"".join(merge(wire.captures(), wire.interfaces)))
    return file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path, (CLIENT, AGENT, REQUEST), (AGENT, CLIENT, RESPONSE))


def dissect(*words: object) -> tuple[int, str]:
    """Run the command; return its exit code and output. An error of labctl's is raised."""
    done = CliRunner().invoke(main.build(["dissect"]), ["dissect", *map(str, words)])
    if isinstance(done.exception, LabctlError):
        raise done.exception
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout


def test_a_table_and_the_first_request_with_its_response(file: Path) -> None:
    code, out = dissect(file)
    assert code == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0].endswith("GetRequest-PDU udpInDatagrams.0 NULL")
    assert lines[1].endswith("Response-PDU (to 1) udpInDatagrams.0 = Counter32 12")
    assert "38 │ │ │ │ 05 00 NULL value in place of a value" in lines
    assert "38 │ │ │ │ 41 01 0c Counter32 value 12" in lines
    assert "2 00 a1 destination port 161" in lines


def test_json(file: Path) -> None:
    code, out = dissect(file, "--json")
    told = json.loads(out)
    assert (code, told["port"], len(told["messages"])) == (0, 161, 2)
    first, second = told["messages"]
    assert (first["request_id"], second["answers"], second["problem"]) == (7, 1, None)
    assert first["parts"][2]["fields"][0]["bytes"] == REQUEST.hex()


def test_pictures_in_files(file: Path, tmp_path: Path) -> None:
    names = [tmp_path / f"x{suffix}" for suffix in (".txt", ".svg", ".html", ".json")]
    code, out = dissect(file, *(word for name in names for word in ("-o", name)))
    assert (code, out) == (0, "")
    for name in names:
        assert "udpInDatagrams.0" in name.read_text(encoding="utf-8")


def test_one_message_of_several(file: Path) -> None:
    _, out = dissect(file, "-m", 2)
    assert "message 2 at" in out
    assert "message 1 at" not in out
    with pytest.raises(UsageError, match="there is no message 3"):
        dissect(file, "-m", 3)


def test_a_wrong_message_is_drawn_and_ends_with_1(tmp_path: Path) -> None:
    bad = (CLIENT, AGENT, REQUEST[:-3])
    code, out = dissect(written(tmp_path, (CLIENT, AGENT, REQUEST), (AGENT, CLIENT, RESPONSE), bad))
    assert code == 1
    assert "message 3 at" in out
    assert "wrong: cannot be read on: byte 1: a length of" in out


def test_no_message_is_no_success(file: Path) -> None:
    with pytest.raises(CheckFailed, match="no datagram to or from UDP port 162 was seen"):
        dissect(file, "--port", 162)


def test_a_damaged_file_is_read_as_far_as_it_goes(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-7])
    code, out = dissect(file)
    assert code == 0
    assert "Response-PDU" in out


@pytest.mark.parametrize("content", [b"", b"hello", b"\x0a\x0d\x0d\x0ahello"])
def test_no_file_of_packets(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.pcap"
    file.write_bytes(content)
    with pytest.raises(LabctlError):
        dissect(file)


def test_files_that_are_not_there_or_cannot_be_written(file: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        dissect(tmp_path / "none.pcapng")
    with pytest.raises(UsageError, match="not known by its suffix"):
        dissect(file, "-o", tmp_path / "x.png")
    with pytest.raises(UsageError, match="not known by its suffix"):
        dissect(file, "-o", tmp_path / "x.pcapng")
    with pytest.raises(UsageError, match="there is no folder"):
        dissect(file, "-o", tmp_path / "none" / "x.svg")
    with pytest.raises(UsageError, match="nothing is played from"):
        dissect(file, "-s", "get")


def test_a_file_that_cannot_be_written_loses_nothing(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dissected_files, "require", lambda files, played: None)
    bad, good = tmp_path / "x.svg", tmp_path / "x.json"
    bad.mkdir()
    done = CliRunner().invoke(
        main.build(["dissect"]), ["dissect", str(file), "-o", str(bad), "-o", str(good)]
    )
    assert isinstance(done.exception, MachineError)
    assert "x.svg cannot be written" in done.exception.message
    assert "Response-PDU" in done.stdout
    assert len(json.loads(good.read_text())) == 2
    done = CliRunner().invoke(
        main.build(["dissect"]), ["dissect", str(file), "--json", "-o", str(bad)]
    )
    assert isinstance(done.exception, MachineError)
    assert len(json.loads(done.stdout)["messages"]) == 2
