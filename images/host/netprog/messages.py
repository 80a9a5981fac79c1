"""What is in the data of the Napster messages: one class a shape, both ways. Pure.

Every `parse` raises Malformed; fields after those that are known are ignored, because
later clients and servers append some (a build number, a weight, a speed).
"""

import re
from dataclasses import dataclass

from napster import NICK, Malformed, fields, ip_number, ip_text, number, quoted, size

MOST_NAME = 1024
"""Bytes a file name may have, so that a message that quotes it never becomes too long."""

CHECKSUM = re.compile(r"[!#-~]{1,64}")


def _known(data: str, count: int) -> list[str]:
    found = fields(data)
    if len(found) < count:
        raise Malformed(f"{len(found)} fields, {count} are needed")
    return found[:count]


def _file_name(text: str) -> str:
    if not 0 < size(text) <= MOST_NAME:
        raise Malformed(f"a file name must have 1 to {MOST_NAME} bytes")
    return text


def _nick(text: str) -> str:
    if not NICK.fullmatch(text):
        raise Malformed("invalid nick")
    return text


def _checksum(text: str) -> str:
    if not CHECKSUM.fullmatch(text):
        raise Malformed("invalid checksum")
    return text


@dataclass(frozen=True)
class Login:
    """2 (and the beginning of 6): `nick password port "client-info" link-type`."""

    nick: str
    password: str
    port: int
    client: str
    link: int

    @classmethod
    def parse(cls, data: str) -> "Login":
        nick, password, port, client, link = _known(data, 5)
        return cls(_nick(nick), password, number(port, 65535), client, number(link, 10))

    def data(self) -> str:
        return f"{self.nick} {self.password} {self.port} {quoted(self.client)} {self.link}"


@dataclass(frozen=True, slots=True)
class File:
    """100: `"name" md5 size bitrate frequency seconds`; size in bytes."""

    name: str
    md5: str
    size: int
    bitrate: int = 0
    frequency: int = 0
    seconds: int = 0

    @classmethod
    def parse(cls, data: str) -> "File":
        name, md5, *numbers = _known(data, 6)
        return cls(_file_name(name), _checksum(md5), *map(number, numbers))

    def data(self) -> str:
        numbers = f"{self.size} {self.bitrate} {self.frequency} {self.seconds}"
        return f"{quoted(self.name)} {self.md5} {numbers}"


@dataclass(frozen=True)
class Result:
    """201: a file, then `nick ip link-type` of the user who has it."""

    file: File
    nick: str
    ip: str
    link: int

    @classmethod
    def parse(cls, data: str) -> "Result":
        nick, ip, link = _known(data, 9)[6:]
        return cls(File.parse(data), _nick(nick), ip_text(number(ip)), number(link, 10))

    def data(self) -> str:
        return f"{self.file.data()} {self.nick} {ip_number(self.ip)} {self.link}"


@dataclass(frozen=True)
class Holder:
    """216: `nick ip port "name" md5 size link-type`: who has the file with a checksum."""

    nick: str
    ip: str
    port: int
    file: File
    link: int

    @classmethod
    def parse(cls, data: str) -> "Holder":
        nick, ip, port, name, md5, size_, link = _known(data, 7)
        file = File(_file_name(name), _checksum(md5), number(size_))
        address = ip_text(number(ip)), number(port, 65535)
        return cls(_nick(nick), *address, file, number(link, 10))

    def data(self) -> str:
        file = f"{quoted(self.file.name)} {self.file.md5} {self.file.size}"
        return f"{self.nick} {ip_number(self.ip)} {self.port} {file} {self.link}"


@dataclass(frozen=True)
class GoAhead:
    """204: `nick ip port "name" md5 link-type`: where to fetch the file.

    501 has the same form: where to push it to."""

    nick: str
    ip: str
    port: int
    name: str
    md5: str
    link: int

    @classmethod
    def parse(cls, data: str) -> "GoAhead":
        nick, ip, port, name, md5, link = _known(data, 6)
        return cls(
            _nick(nick),
            ip_text(number(ip)),
            number(port, 65535),
            _file_name(name),
            _checksum(md5),
            number(link, 10),
        )

    def data(self) -> str:
        where = f"{self.nick} {ip_number(self.ip)} {self.port}"
        return f"{where} {quoted(self.name)} {self.md5} {self.link}"


@dataclass(frozen=True)
class Wish:
    """203, 206, 500, 607, 608: `nick "name"`; the nick is that of the other user."""

    nick: str
    name: str

    @classmethod
    def parse(cls, data: str) -> "Wish":
        nick, name = _known(data, 2)
        return cls(_nick(nick), _file_name(name))

    def data(self) -> str:
        return f"{self.nick} {quoted(self.name)}"


def unshared_name(data: str) -> str:
    """102: the name, bare as napster.txt has it; some clients put it in quotes."""
    if len(data) >= 2 and data[0] == data[-1] == '"':
        return data[1:-1]
    return data


def folder_of_files(data: str) -> list[File]:
    """870: `"folder" "name" md5 size bitrate frequency seconds ...`, any number of files.

    As on OpenNap the folder becomes a part of the names, and brings its separator along.
    """
    folder, *rest = fields(data) or [""]
    if not rest or len(rest) % 6:
        raise Malformed(f"{len(rest)} fields behind the folder, six are needed for each file")
    if folder and folder[-1] not in "\\/":
        folder += "\\"
    files = []
    for at in range(0, len(rest), 6):
        name, md5, *numbers = rest[at : at + 6]
        files.append(File(_file_name(folder + name), _checksum(md5), *map(number, numbers)))
    return files


def checksum_and_size(data: str) -> tuple[str, int]:
    """215: `md5 size`."""
    md5, bytes_ = _known(data, 2)
    return _checksum(md5), number(bytes_)


def nick_alone(data: str) -> str:
    """211, 600, 603, 751, 752: one nick."""
    return _nick(_known(data, 1)[0])
