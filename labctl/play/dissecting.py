"""The messages in a file of packets, or of what is played now, taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from labctl.errors import UsageError
from labctl.observe.capture import frames, pcap, pcapng_file
from labctl.observe.capture.frames import Frame
from labctl.observe.collect import Observation
from labctl.observe.dissect import Message, messages

_MAXIMUM = 1 << 30
"""The largest file that is read, in bytes."""


@dataclass(frozen=True)
class Dissected:
    """Messages, in the order of time; `notes` say what of the packets is missing."""

    messages: tuple[Message, ...]
    notes: tuple[str, ...] = ()


def of_observation(seen: Observation, port: int) -> Dissected:
    """Take apart what was captured on the hosts of a lab, to or from a UDP port."""
    names = {ip: host.name for host in seen.recording.hosts for ip in host.addresses.values()}
    found = messages(frames(seen.captures), port, names)
    notes = tuple(map(str, seen.recording.notices))
    return Dissected(tuple(found), notes)


def of_file(file: Path, port: int) -> Dissected:
    """Take apart what is in a pcapng or pcap file, to or from a UDP port.

    Raises UsageError where it cannot be read, or is none.
    """
    content = _content(file)
    notes: list[str] = []
    found: list[Frame] = []
    if content.startswith(pcapng_file.MAGIC):
        try:
            for frame in pcapng_file.frames(content):
                found.append(frame)
        except pcapng_file.Damaged as error:
            notes.append(f"{file} is damaged, what comes after is missing: {error}")
    else:
        capture = pcap.parse(content)
        if not capture.snaplen or (capture.notes and not capture.records and not capture.link_type):
            raise UsageError(
                f"{file} is no file of packets",
                "Name one that `labctl capture`, `labctl trace -o` or tcpdump has written.",
            )
        notes += [f"{file}: {note}" for note in capture.notes]
        found = list(frames({"": capture}))
    found.sort(key=lambda frame: frame.record.time)
    return Dissected(tuple(messages(found, port)), tuple(notes))


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > _MAXIMUM:
            raise UsageError(f"{file} has more than {_MAXIMUM >> 30} GiB", "Cut it into parts.")
        return file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror}", "Name a file of packets."
        ) from error
