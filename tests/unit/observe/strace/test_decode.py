"""What the arguments of each call are decoded to."""

from __future__ import annotations

import pytest

from labctl.observe.strace.decode import as_far_as_possible, decode, decode_any
from labctl.observe.strace.options import options
from labctl.observe.strace.values import Unreadable
from labctl.sequence.events import Value
from labctl.sequence.verbs import FAMILIES

IPV4 = '{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.0.0.1")}'
IPV6 = (
    "{sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), "
    'inet_pton(AF_INET6, "%s", &sin6_addr), sin6_scope_id=0}'
)

CASES: list[tuple[str, str, str, int | None, dict[str, Value]]] = [
    (
        "socket",
        "AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP",
        "",
        None,
        {
            "family": "AF_INET",
            "type": "SOCK_STREAM",
            "protocol": "IPPROTO_TCP",
            "flags": ["SOCK_CLOEXEC"],
        },
    ),
    (
        "socketpair",
        "AF_UNIX, SOCK_STREAM, 0, [3, 4]",
        "",
        None,
        {
            "family": "AF_UNIX",
            "type": "SOCK_STREAM",
            "protocol": 0,
            "flags": [],
            "descriptors": [3, 4],
        },
    ),
    ("bind", f"3, {IPV4}, 16", "", 3, {"address": "10.0.0.1:80"}),
    ("connect", f"3, {IPV6 % '::1'}, 28", "", 3, {"address": "[::1]:80"}),
    ("connect", f"3, {IPV6 % '::ffff:10.0.0.1'}, 28", "", 3, {"address": "10.0.0.1:80"}),
    (
        "connect",
        '3, {sa_family=AF_UNIX, sun_path=@"x"}, 4',
        "",
        3,
        {"address": "@x", "family": "AF_UNIX"},
    ),
    ("connect", "3, 0x7ffc, 16", "", 3, {}),
    ("listen", "3, 128", "", 3, {"backlog": 128}),
    ("accept", f"3, {IPV4}, [128 => 16]", "", 3, {"address": "10.0.0.1:80"}),
    ("accept4", "3, NULL, NULL, SOCK_NONBLOCK", "", 3, {"flags": ["SOCK_NONBLOCK"]}),
    ("accept4", "3,", "", 3, {}),
    ("read", '3, "ab"..., 4096', "", 3, {"length": 4096, "data": "ab"}),
    ("read", "3, 0x7ffc, 1", "", 3, {"length": 1}),
    ("write", r'1, "\377\0"..., 9', "", 1, {"length": 9, "data": "\xff\0"}),
    (
        "recvfrom",
        f'3, "a", 10, MSG_PEEK, {IPV4}, [16]',
        "",
        3,
        {"length": 10, "data": "a", "flags": ["MSG_PEEK"], "address": "10.0.0.1:80"},
    ),
    (
        "sendto",
        '3, "a", 1, 0, NULL, 0',
        "",
        3,
        {"length": 1, "data": "a", "flags": []},
    ),
    (
        "writev",
        '3, [{iov_base="ab", iov_len=2}, {iov_base="c"..., iov_len=9}, '
        '{iov_base="d", iov_len=1}], 3',
        "",
        3,
        {"length": 12, "data": "abc"},
    ),
    (
        "sendmsg",
        f'3, {{msg_name={IPV4}, msg_namelen=16, msg_iov=[{{iov_base="a", iov_len=1}}], '
        "msg_iovlen=1, msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, "
        "cmsg_type=SCM_RIGHTS, cmsg_data=[5, 6]}], msg_controllen=24, msg_flags=0}, MSG_NOSIGNAL",
        "",
        3,
        {
            "length": 1,
            "data": "a",
            "address": "10.0.0.1:80",
            "descriptors": [5, 6],
            "flags": ["MSG_NOSIGNAL"],
        },
    ),
    (
        "recvmmsg",
        '3, [{msg_hdr={msg_name=NULL, msg_iov=[{iov_base="a", iov_len=4}], msg_iovlen=1}, '
        "msg_len=1}], 2, MSG_DONTWAIT, {tv_sec=1, tv_nsec=0}",
        "",
        3,
        {
            "messages": [{"length": 4, "data": "a", "moved": 1}],
            "flags": ["MSG_DONTWAIT"],
            "timeout_ms": 1000,
        },
    ),
    ("sendfile", "4, 3, [0] => [100], 100", "", 4, {"from": 3, "length": 100, "offset": 0}),
    ("sendfile", "4, 3, NULL, 100", "", 4, {"from": 3, "length": 100}),
    (
        "splice",
        "3, NULL, 4, NULL, 9, SPLICE_F_MOVE",
        "",
        3,
        {"to": 4, "length": 9, "flags": ["SPLICE_F_MOVE"]},
    ),
    ("shutdown", "3, SHUT_WR", "", 3, {"how": "SHUT_WR"}),
    (
        "setsockopt",
        "3, SOL_SOCKET, SO_REUSEADDR, [1], 4",
        "",
        3,
        {"level": "SOL_SOCKET", "option": "SO_REUSEADDR", "value": 1},
    ),
    (
        "getsockopt",
        "3, SOL_SOCKET, SO_ERROR, [111], [4]",
        "",
        3,
        {"level": "SOL_SOCKET", "option": "SO_ERROR", "value": 111},
    ),
    ("close", "3", "", 3, {}),
    ("close_range", "3, ~0U, 0", "", 3, {"last": 0xFFFFFFFF, "flags": []}),
    ("dup3", "3, 9, O_CLOEXEC", "", 3, {"to": 9, "flags": ["O_CLOEXEC"]}),
    (
        "fcntl",
        "3, F_GETFL",
        "flags O_RDWR|O_NONBLOCK",
        3,
        {"command": "F_GETFL", "flags": ["O_RDWR", "O_NONBLOCK"]},
    ),
    (
        "fcntl",
        "3, F_SETFL, O_RDONLY|O_NONBLOCK",
        "",
        3,
        {"command": "F_SETFL", "argument": ["O_RDONLY", "O_NONBLOCK"]},
    ),
    ("ioctl", "3, FIONBIO, [1]", "", 3, {"request": "FIONBIO", "argument": 1}),
    (
        "poll",
        "[{fd=3, events=POLLIN}, {fd=-1}], 2, -1",
        "[{fd=3, revents=POLLIN|POLLHUP}]",
        None,
        {
            "descriptors": {"3": ["POLLIN"]},
            "ready": {"3": ["POLLIN", "POLLHUP"]},
            "timeout_ms": -1,
        },
    ),
    (
        "select",
        "5, [3 4], NULL, NULL, {tv_sec=1, tv_usec=500000}",
        "in [4], left {tv_sec=0, tv_usec=3}",
        None,
        {"read": [3, 4], "ready": {"read": [4]}, "timeout_ms": 1500},
    ),
    (
        "epoll_ctl",
        "4, EPOLL_CTL_ADD, 5, {events=EPOLLIN, data={u32=5, u64=5}}",
        "",
        4,
        {"operation": "EPOLL_CTL_ADD", "descriptor": 5, "events": ["EPOLLIN"], "data": 5},
    ),
    (
        "epoll_wait",
        "4, [{events=EPOLLIN, data={u32=5, u64=5}}], 8, 100",
        "",
        4,
        {"events": [{"events": ["EPOLLIN"], "data": 5}], "timeout_ms": 100},
    ),
    (
        "clone",
        "child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f",
        "",
        None,
        {"flags": ["CLONE_CHILD_SETTID", "SIGCHLD"]},
    ),
    ("clone3", "{flags=CLONE_VM, exit_signal=0} => {parent_tid=[9]}, 88", "", None, {}),
    (
        "execve",
        '"/bin/true", ["true", "\\303\\244"], 0x7f /* 4 vars */',
        "",
        None,
        {"path": "/bin/true", "argv": ["true", "ä"]},
    ),
    (
        "wait4",
        "-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], WNOHANG, NULL",
        "",
        None,
        {"pid": -1, "options": ["WNOHANG"], "code": 3},
    ),
    (
        "wait4",
        "9, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}], 0, NULL",
        "",
        None,
        {"pid": 9, "options": [], "signal": "SIGKILL"},
    ),
    (
        "waitid",
        "P_PID, 9, {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=9, si_status=SIGPIPE}, "
        "WEXITED, NULL",
        "",
        None,
        {"idtype": "P_PID", "pid": 9, "options": ["WEXITED"], "child": 9, "signal": "SIGPIPE"},
    ),
]


@pytest.mark.parametrize(("name", "text", "remark", "fd", "args"), CASES)
def test_arguments(
    name: str, text: str, remark: str, fd: int | None, args: dict[str, Value]
) -> None:
    found = decode(name, text, remark)
    if name == "clone3":
        assert found.args == {"flags": ["CLONE_VM"]}
    else:
        assert (found.fd, found.args) == (fd, args)


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, t, *_ in CASES if n in ("read", "write")])
def test_the_short_cut_decodes_the_same(name: str, text: str) -> None:
    assert decode(name, text, "") == decode_any(name, text, "")


def test_data_is_kept_up_to_what_strace_shows() -> None:
    assert len(str(decode("read", f'3, "{"x" * 64}"..., 99', "").args["data"])) == 64


def test_of_what_cannot_be_read_the_beginning_is_kept() -> None:
    with pytest.raises(Unreadable):
        decode("connect", f"3, {IPV4}, [", "")
    assert as_far_as_possible("connect", f"3, {IPV4}, [") == (3, {"address": "10.0.0.1:80"})
    assert as_far_as_possible("sendto", '3, "abc, de') == (3, {})
    assert as_far_as_possible("read", '"') == (None, {})


def test_strace_is_asked_for_all_calls_of_all_families_and_never_for_addresses() -> None:
    asked = options()
    (traced,) = [word for word in asked if word.startswith("trace=")]
    names = {name.removeprefix("?") for name in traced.removeprefix("trace=").split(",")}
    assert {call for calls in FAMILIES.values() for call in calls} <= names
    assert not any(word.startswith("-y") for word in asked)
    assert "-f" in asked
