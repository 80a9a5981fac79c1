"""Which socket each call was on: descriptor tables over fork, threads, dup, exec, close."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labctl.sequence.events import OpenSocket, ProcessEvent
from labctl.sequence.timeline import Timeline
from tests.unit.sequence.build import Story, Thread
from tests.unit.sequence.exchanges import tcp_socket
from tests.unit.sequence.looking import call, calls, socket_of


@pytest.fixture
def story() -> Story:
    return Story(server="10.0.0.2")


@pytest.fixture
def thread(story: Story) -> Thread:
    return story.thread("server")


def of(story: Story) -> Timeline:
    return Timeline.of(story.recording())


def test_a_call_is_on_the_socket_that_its_descriptor_stands_for(
    story: Story, thread: Thread
) -> None:
    tcp_socket(thread, 3)
    tcp_socket(thread, 4)
    thread.call("listen", 4)
    thread.call("bind", 3)
    timeline = of(story)
    made = calls(timeline, "socket")
    assert call(timeline, "listen").socket == made[1].socket
    assert call(timeline, "bind").socket == made[0].socket
    assert len(timeline.sockets) == 2


def test_what_is_no_socket_has_none(story: Story, thread: Thread) -> None:
    thread.call("read", 0, 5)
    thread.call("recvfrom", 9, errno="ENOTSOCK")
    thread.call("close", 7, errno="EBADF")
    timeline = of(story)
    assert [c.socket for c in timeline.calls] == [None, None, None]
    assert timeline.sockets == ()


def test_a_call_that_made_no_socket_has_none(story: Story, thread: Thread) -> None:
    thread.call("socket", errno="EMFILE", family="AF_INET", type="SOCK_STREAM")
    assert of(story).sockets == ()


def test_a_number_stands_for_another_socket_after_close(story: Story, thread: Thread) -> None:
    for _ in range(2):
        tcp_socket(thread, 3)
        thread.call("listen", 3)
        thread.call("close", 3)
    timeline = of(story)
    first, second = calls(timeline, "listen")
    assert first.socket != second.socket
    assert [c.last for c in calls(timeline, "close")] == [True, True]
    assert [s.released is not None for s in timeline.sockets] == [True, True]


def test_close_that_was_interrupted_has_closed(story: Story, thread: Thread) -> None:
    tcp_socket(thread, 3)
    thread.call("close", 3, errno="EINTR")
    assert call(of(story), "close").last


def test_fork_copies_the_table(story: Story, thread: Thread) -> None:
    tcp_socket(thread, 3)
    child = thread.fork(200)
    child.call("sendto", 3, 5)
    child.call("close", 3)
    thread.call("close", 3)
    timeline = of(story)
    made = call(timeline, "socket")
    assert call(timeline, "sendto").socket == made.socket
    assert [c.last for c in calls(timeline, "close")] == [False, True]
    assert socket_of(timeline, made).holders == (100, 200)


def test_a_child_may_call_before_the_parent_s_clone_returns(story: Story, thread: Thread) -> None:
    tcp_socket(thread, 3)
    child = thread.fork(200, stamped_late=True)
    child.call("close", 3)
    story.tick(1_000_000)
    thread.call("close", 3)
    timeline = of(story)
    assert [(c.pid, c.last) for c in calls(timeline, "close")] == [(200, False), (100, True)]


def test_what_the_child_opens_is_not_the_parent_s(story: Story, thread: Thread) -> None:
    child = thread.fork(200)
    tcp_socket(child, 3)
    thread.call("write", 3, 5)
    assert call(of(story), "write").socket is None


def test_vfork_copies_the_table_while_the_parent_waits(story: Story, thread: Thread) -> None:
    tcp_socket(thread, 3)
    forking = thread.begin("vfork")
    child = story.thread("server", 200)
    child.call("close", 3)
    child.exec("/bin/true")
    done = thread.end(forking, 200)
    story.processes.append(ProcessEvent("server", 100, 100, "fork", done.end or 0, 200))
    thread.call("listen", 3)
    timeline = of(story)
    assert call(timeline, "listen").socket == call(timeline, "socket").socket
    assert not call(timeline, "close").last


def test_clone_files_shares_the_table_between_processes(story: Story, thread: Thread) -> None:
    child = thread.fork(200, flags=["CLONE_FILES"])
    tcp_socket(child, 3)
    thread.call("listen", 3)
    thread.call("close", 3)
    timeline = of(story)
    assert call(timeline, "listen").socket == call(timeline, "socket").socket
    assert call(timeline, "close").last


def test_threads_share_the_table(story: Story, thread: Thread) -> None:
    other = thread.spawn(101)
    tcp_socket(other, 3)
    thread.call("listen", 3)
    other.exit()
    thread.call("close", 3)
    timeline = of(story)
    assert call(timeline, "listen").socket == call(timeline, "socket").socket
    assert call(timeline, "close").last


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("dup", {}),
        ("fcntl", {"command": "F_DUPFD", "argument": 5}),
        ("fcntl", {"command": "F_DUPFD_CLOEXEC", "argument": 5}),
        ("dup2", {"to": 5}),
        ("dup3", {"to": 5, "flags": ["O_CLOEXEC"]}),
    ],
)
def test_a_duplicate_stands_for_the_same_socket(
    story: Story, thread: Thread, name: str, more: dict[str, Any]
) -> None:
    tcp_socket(thread, 3)
    thread.call(name, 3, 5, **more)
    thread.call("close", 3)
    thread.call("listen", 5)
    thread.call("close", 5)
    timeline = of(story)
    made = call(timeline, "socket")
    assert call(timeline, name).socket == made.socket
    assert call(timeline, "listen").socket == made.socket
    assert [c.last for c in calls(timeline, "close")] == [False, True]


def test_dup2_closes_what_the_number_stood_for(story: Story, thread: Thread) -> None:
    tcp_socket(thread, 3)
    tcp_socket(thread, 4)
    done = thread.call("dup2", 3, 4, to=4)
    thread.call("listen", 4)
    timeline = of(story)
    first, second = calls(timeline, "socket")
    assert call(timeline, "listen").socket == first.socket
    assert socket_of(timeline, second).released is not None
    assert (socket_of(timeline, second).released or 0) <= (done.end or 0)
    assert socket_of(timeline, first).released is None


def test_dup2_of_a_number_to_itself_changes_nothing(story: Story, thread: Thread) -> None:
    tcp_socket(thread, 3)
    thread.call("dup2", 3, 3, to=3)
    thread.call("close", 3)
    assert call(of(story), "close").last


@pytest.mark.parametrize("by_event", [False, True])
def test_exec_closes_what_is_marked_so(story: Story, thread: Thread, by_event: bool) -> None:
    tcp_socket(thread, 3, flags=["SOCK_CLOEXEC"])
    tcp_socket(thread, 4)
    thread.call("fcntl", 4, command="F_SETFD", argument=["FD_CLOEXEC"])
    tcp_socket(thread, 5)
    tcp_socket(thread, 6, flags=["SOCK_CLOEXEC"])
    thread.call("fcntl", 6, command="F_SETFD", argument=0)
    thread.exec("/bin/server")
    if by_event:
        story.calls.pop()
    timeline = of(story)
    assert [s.released is None for s in timeline.sockets] == [False, False, True, True]


def test_an_exec_that_failed_closes_nothing(story: Story, thread: Thread) -> None:
    tcp_socket(thread, 3, flags=["SOCK_CLOEXEC"])
    thread.call("execve", errno="ENOENT", path="/bin/nothing")
    thread.call("listen", 3)
    assert of(story).sockets[0].released is None


def test_ioctl_marks_for_exec_too(story: Story, thread: Thread) -> None:
    tcp_socket(thread, 3)
    thread.call("ioctl", 3, request="FIOCLEX")
    thread.exec("/bin/server")
    assert of(story).sockets[0].released is not None


def test_accept_gives_a_socket_that_knows_its_listener(story: Story, thread: Thread) -> None:
    tcp_socket(thread, 3)
    thread.call("listen", 3)
    thread.call("accept4", 3, 4, flags=["SOCK_CLOEXEC"], address="10.0.0.1:5")
    timeline = of(story)
    made = socket_of(timeline, call(timeline, "accept4"))
    assert made.listener == call(timeline, "listen").socket != made.id
    assert str(made.remote) == "10.0.0.1:5"


def test_close_range_closes_all_in_it(story: Story, thread: Thread) -> None:
    for fd in (3, 4, 5, 6):
        tcp_socket(thread, fd)
    thread.call("close_range", 4, last=5, flags=[])
    assert [s.released is None for s in of(story).sockets] == [True, False, False, True]


def test_close_range_of_one_is_its_last_close(story: Story, thread: Thread) -> None:
    tcp_socket(thread, 3)
    thread.call("close_range", 3, last=4294967295, flags=[])
    timeline = of(story)
    assert call(timeline, "close_range").last
    assert call(timeline, "close_range").socket == call(timeline, "socket").socket


def test_close_range_may_only_mark_for_exec(story: Story, thread: Thread) -> None:
    tcp_socket(thread, 3)
    thread.call("close_range", 3, last=9, flags=["CLOSE_RANGE_CLOEXEC"])
    thread.call("listen", 3)
    thread.exec("/bin/server")
    timeline = of(story)
    assert not call(timeline, "close_range").last
    assert (timeline.sockets[0].released or 0) > call(timeline, "listen").start


def test_close_range_may_leave_the_others_of_a_shared_table(story: Story, thread: Thread) -> None:
    tcp_socket(thread, 3)
    child = thread.fork(200, flags=["CLONE_FILES"])
    child.call("close_range", 3, last=9, flags=["CLOSE_RANGE_UNSHARE"])
    thread.call("listen", 3)
    timeline = of(story)
    assert call(timeline, "listen").socket == call(timeline, "socket").socket
    assert timeline.sockets[0].released is None


def test_the_end_of_the_last_process_releases(story: Story, thread: Thread) -> None:
    tcp_socket(thread, 3)
    child = thread.fork(200)
    thread.exit()
    child.exit()
    timeline = of(story)
    assert timeline.sockets[0].released == story.processes[-1].time


def test_the_end_of_one_thread_releases_nothing(story: Story, thread: Thread) -> None:
    tcp_socket(thread, 3)
    other = thread.spawn(101)
    thread.exit()
    other.call("listen", 3)
    other.exit()
    assert of(story).sockets[0].released == story.processes[-1].time


def test_a_process_number_that_is_used_again_begins_anew(story: Story, thread: Thread) -> None:
    tcp_socket(thread, 3)
    first = thread.fork(200)
    tcp_socket(first, 4)
    first.exit()
    thread.call("close", 3)
    second = thread.fork(200)
    second.call("write", 4, 5)
    timeline = of(story)
    assert call(timeline, "write").socket is None


def test_sockets_from_before_are_known_by_their_inode(story: Story, thread: Thread) -> None:
    opened = OpenSocket("server", 100, 3, 77, "AF_INET", "SOCK_STREAM", "LISTEN", None, None)
    story.open_sockets += (opened, replace(opened, pid=200), replace(opened, fd=5, inode=78))
    thread.call("accept", 3, 4)
    story.thread("server", 200).call("accept", 3, 4)
    timeline = of(story)
    first, second = (socket_of(timeline, c) for c in calls(timeline, "accept"))
    assert first.listener == second.listener is not None
    assert first.id != second.id


def test_a_snapshot_that_came_too_late_is_corrected(story: Story, thread: Thread) -> None:
    """It shows what the program opened just after; then socket returns the same number."""
    opened = OpenSocket("server", 100, 3, 77, "AF_INET", "SOCK_STREAM", "UNCONN", None, None)
    story.open_sockets.append(opened)
    tcp_socket(thread, 3)
    thread.call("listen", 3)
    timeline = of(story)
    assert len(timeline.sockets) == 1
    assert call(timeline, "listen").socket == call(timeline, "socket").socket


def test_a_socket_that_was_never_seen_to_be_made_shows_in_its_use(
    story: Story, thread: Thread
) -> None:
    thread.call("accept", 3, 4)
    thread.call("accept", 3, 5)
    timeline = of(story)
    first, second = (socket_of(timeline, c) for c in calls(timeline, "accept"))
    assert first.listener == second.listener is not None


def test_waiting_calls_and_forks_are_told_of_the_sockets_they_name(
    story: Story, thread: Thread
) -> None:
    tcp_socket(thread, 3)
    thread.call("connect", 3, errno="ECONNREFUSED", address="10.0.0.9:1")
    thread.call("poll", result=1, descriptors={"3": ["POLLOUT"], "9": ["POLLIN"]})
    thread.call("epoll_create1", result=7)
    thread.call("epoll_ctl", 7, operation="EPOLL_CTL_ADD", descriptor=3, data=3)
    thread.call("epoll_wait", 7, 1, events=[{"data": 3, "events": ["EPOLLIN"]}])
    thread.call("select", result=1, write=[3])
    (made,) = of(story).connections
    assert [c.name for c in made.client.calls] == [
        *("socket", "connect", "poll", "epoll_ctl", "epoll_wait", "select")
    ]


def test_what_a_file_said_of_sockets_is_not_kept(story: Story, thread: Thread) -> None:
    thread.call("read", 0, 5)
    story.calls[-1] = replace(story.calls[-1], socket=5, last=True)
    only = of(story).calls[0]
    assert (only.socket, only.last) == (None, False)
