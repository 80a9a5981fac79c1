"""Reads the entries of descriptor tables: links of /proc/PID/fd, and fdinfo (proc(5))."""

from __future__ import annotations

import re

from labctl.observe.sockets.model import Descriptor

_INODE = re.compile(r"(socket|pipe):\[(\d+)\]")
_ANONYMOUS = re.compile(r"anon_inode:\[?(.*?)\]?")
_WATCHED = re.compile(r"^tfd: *(\d+)", re.MULTILINE)
_FLAGS = re.compile(r"^flags:\t([0-7]+)", re.MULTILINE)
_ACCESS = ("r", "w", "rw", "")
_O_ACCMODE, _O_NONBLOCK, _O_CLOEXEC = 0o3, 0o4000, 0o2000000  # asm-generic/fcntl.h


def descriptor(fd: int, link: str, info: str) -> Descriptor:
    """Return the entry whose link and fdinfo these are; what fdinfo lacks stays unset."""
    told = _FLAGS.search(info)
    flags = int(told[1], 8) if told else 0
    kind, target, inode = _stands_for(link)
    return Descriptor(
        fd=fd,
        kind=kind,
        target=target,
        inode=inode,
        access=_ACCESS[flags & _O_ACCMODE] if told else "",
        nonblocking=bool(flags & _O_NONBLOCK),
        close_on_exec=bool(flags & _O_CLOEXEC),
        watches=tuple(sorted({int(one) for one in _WATCHED.findall(info)})),
    )


def _stands_for(link: str) -> tuple[str, str, int | None]:
    """Return what kind of thing a link names, its path, and its inode."""
    numbered = _INODE.fullmatch(link)
    if numbered:
        return numbered[1], "", int(numbered[2])
    anonymous = _ANONYMOUS.fullmatch(link)
    if anonymous and anonymous[1]:
        return anonymous[1], "", None
    return "file", link, None
