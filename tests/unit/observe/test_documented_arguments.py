"""docs/events.md has every argument name that the decoders of both tracers produce."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from labctl.lab.places import data_root
from labctl.observe.strace.decode import decode
from labctl.observe.strace.parse import parse
from labctl.observe.tracefs import decode as tracefs
from labctl.sequence import events, jsonl
from labctl.sequence.events import Call, Value
from labctl.sequence.recording import ObservedHost
from labctl.sequence.verbs import FAMILIES

PAGE = (data_root() / "docs" / "events.md").read_text("utf-8")
RECORDED = sorted((Path(__file__).parent / "recorded" / "strace").glob("*.txt"))

INET = '{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.0.0.2")}'
UNIX = '{sa_family=AF_UNIX, sun_path="/run/log"}'
HEADER = (
    f'{{msg_name={UNIX}, msg_namelen=16, msg_iov=[{{iov_base="ab", iov_len=2}}], msg_iovlen=1, '
    "msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[4]}], "
    "msg_controllen=24, msg_flags=0}"
)
PARTS = '[{iov_base="ab", iov_len=2}]'
LINES = [
    ("socket", "AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP", ""),
    ("socketpair", "AF_UNIX, SOCK_STREAM, 0, [3, 4]", ""),
    *((name, f"3, {INET}, 16", "") for name in ("bind", "connect", "getsockname", "getpeername")),
    *((name, f"3, {UNIX}, 16", "") for name in ("bind", "connect", "getsockname", "getpeername")),
    ("accept", f"3, {INET}, [16]", ""),
    ("accept", f"3, {UNIX}, [16]", ""),
    ("accept4", f"3, {INET}, [16], SOCK_CLOEXEC", ""),
    ("accept4", f"3, {UNIX}, [16], SOCK_CLOEXEC", ""),
    ("listen", "3, 5", ""),
    ("shutdown", "3, SHUT_WR", ""),
    ("setsockopt", "3, SOL_SOCKET, SO_REUSEADDR, [1], 4", ""),
    ("getsockopt", "3, SOL_SOCKET, SO_ERROR, [0], [4]", ""),
    *((name, '3, "ab", 2', "") for name in ("read", "write")),
    *((name, '3, "ab", 2, MSG_PEEK', "") for name in ("send", "recv")),
    *((name, f'3, "ab", 2, 0, {INET}, 16', "") for name in ("sendto", "recvfrom")),
    *((name, f'3, "ab", 2, 0, {UNIX}, 16', "") for name in ("sendto", "recvfrom")),
    *((name, f"3, {PARTS}, 1", "") for name in ("readv", "writev")),
    *((name, f"3, {HEADER}, 0", "") for name in ("sendmsg", "recvmsg")),
    *(
        (name, f"3, [{{msg_hdr={HEADER}, msg_len=2}}], 1, 0, {{tv_sec=1, tv_nsec=0}}", "")
        for name in ("sendmmsg", "recvmmsg")
    ),
    *((name, "3, 4, [0] => [9], 9", "") for name in ("sendfile", "sendfile64")),
    ("splice", "3, NULL, 4, NULL, 9, SPLICE_F_MOVE", ""),
    ("tee", "3, 4, 9, 0", ""),
    ("vmsplice", f"3, {PARTS}, 1, 0", ""),
    ("dup2", "3, 4", ""),
    ("dup3", "3, 4, O_CLOEXEC", ""),
    ("close_range", "3, 4294967295, 0", ""),
    *((name, "3, F_SETFL, O_RDWR|O_NONBLOCK", "") for name in ("fcntl", "fcntl64")),
    *((name, "3, F_GETFL", "flags O_RDWR") for name in ("fcntl", "fcntl64")),
    ("ioctl", "3, FIONBIO, [1]", ""),
    ("poll", "[{fd=3, events=POLLIN}], 1, 9", "[{fd=3, revents=POLLIN}]"),
    ("ppoll", "[{fd=3, events=POLLIN}], 1, NULL, NULL, 8", "[{fd=3, revents=POLLIN}]"),
    ("select", "4, [3], [3], [3], {tv_sec=1, tv_usec=0}", "in [3]"),
    ("pselect6", "4, [3], [3], [3], {tv_sec=1, tv_nsec=0}, NULL", "in [3]"),
    ("epoll_create", "1", ""),
    ("epoll_create1", "EPOLL_CLOEXEC", ""),
    ("epoll_ctl", "3, EPOLL_CTL_ADD, 4, {events=EPOLLIN, data={u32=4, u64=4}}", ""),
    *(
        (name, "3, [{events=EPOLLIN, data={u32=4, u64=4}}], 8, -1", "")
        for name in ("epoll_wait", "epoll_pwait", "epoll_pwait2")
    ),
    ("clone", "child_stack=NULL, flags=CLONE_VM|SIGCHLD", ""),
    ("clone3", "{flags=CLONE_VM, exit_signal=SIGCHLD}, 88", ""),
    ("execve", '"/bin/sh", ["sh"], 0x7ff /* 3 vars */', ""),
    ("execveat", '3, "/bin/sh", ["sh"], 0x7ff, 0', ""),
    *(
        (name, f"-1, [{{{status}}}], WNOHANG, NULL", "")
        for name in ("wait4", "waitpid")
        for status in (
            "WIFEXITED(s) && WEXITSTATUS(s) == 3",
            "WIFSIGNALED(s) && WTERMSIG(s) == SIGPIPE",
            "WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP",
        )
    ),
    *(
        ("waitid", f"P_ALL, 0, {{si_pid=7, si_status={status}, si_code={code}}}, WEXITED, NULL", "")
        for status, code in (("3", "CLD_EXITED"), ("9", "CLD_KILLED"), ("19", "CLD_STOPPED"))
    ),
]
"""A call, its arguments as strace(1) writes them, and what it has behind the result."""

LATER = {"execve": {"path"}, "listen": {"address"}, "clone3": {"flags"}}
"""What tracefs tells of a call by events of their own."""


@cache
def documented() -> Mapping[str, frozenset[str]]:
    """Return the argument names of each call that the page has in its table."""
    table = PAGE.partition("<!-- arguments -->")[2].partition("<!-- end of arguments -->")[0]
    found: dict[str, frozenset[str]] = {}
    for line in table.strip().splitlines():
        calls, told = line.strip("| ").split(" | ")
        plain = re.sub(r"\([^()]*\)", "", told)
        names = frozenset(re.findall(r"`([a-z_]+)`", plain))
        names = names - {"socket"} | found["socket"] if "as `socket`" in told else names
        found |= dict.fromkeys(re.findall(r"`(\w+)`", calls), names)
    return found


def produced() -> Mapping[str, set[str]]:
    """Return the argument names of each call that strace's decoder makes of the lines."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, text, remark in LINES:
        found[name] |= set(decode(name, text, remark).args)
    return found


def inner(value: Value) -> set[str]:
    """Return the names within a list of messages or events."""
    items = value if isinstance(value, list) else []
    return {name for item in items if isinstance(item, dict) for name in item}


def test_the_page_has_what_strace_gives_and_nothing_else() -> None:
    known = {**documented(), "listen": documented()["listen"] - {"address"}}
    made = {name: frozenset(names) for name, names in produced().items() if names}
    assert made == {name: names for name, names in known.items() if names}


def test_every_call_of_every_family_is_in_the_page() -> None:
    without = set(re.findall(r"`(\w+)`", PAGE.partition("All others (")[2].partition(")")[0]))
    calls = {call for family in FAMILIES.values() for call in family}
    assert calls <= without | set(documented())
    assert not without & set(documented())


@pytest.mark.parametrize("name", tracefs.DECODERS)
def test_the_page_has_what_tracefs_gives(name: str) -> None:
    needed = tracefs.DECODERS[name][1]
    commands = [[3, command, 4, 5, 6, 7][:needed] for command in (0, 1, 2, 3, 4, 1030)]
    made = {arg for values in commands for arg in tracefs.decode(name, values)[1]}
    assert made | LATER.get(name, set()) <= documented().get(name, frozenset())


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_the_page_has_what_real_programs_lead_to(file: Path) -> None:
    calls = parse(file.read_bytes().splitlines(), "host", {}).calls
    assert calls
    for call in calls:
        assert set(call.args) <= documented().get(call.name, frozenset()), call


def test_the_names_within_messages_and_events_are_in_the_page() -> None:
    names = set()
    for name, text, remark in LINES:
        args = decode(name, text, remark).args
        names |= inner(args.get("messages")) | inner(args.get("events"))
    assert names >= {"moved", "data"}
    for name in names:
        assert f"`{name}`" in PAGE


@pytest.mark.parametrize("kind", jsonl.KINDS)
def test_every_kind_of_line_and_each_of_its_fields_is_in_the_page(kind: str) -> None:
    section = PAGE.partition(f"### `{kind}`")[2].partition("\n### ")[0]
    assert section, kind
    for field in fields(jsonl.KINDS[kind]):
        assert f"`{field.name}`" in section, field.name


def test_the_kinds_are_those_of_the_events() -> None:
    assert set(jsonl.KINDS.values()) >= {Call, events.Segment, events.StateChange, ObservedHost}
    for name in ("socket", "connection"):
        assert f"`{name}`" in PAGE
