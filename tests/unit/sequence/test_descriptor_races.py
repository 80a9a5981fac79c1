"""Descriptors where several threads, messages or coarse clocks make it hard to tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labctl.sequence.timeline import Timeline
from tests.unit.sequence.build import Story, Thread
from tests.unit.sequence.exchanges import tcp_socket
from tests.unit.sequence.looking import call, calls, socket_of


def pair_of(thread: Thread, one: int, other: int) -> None:
    thread.call("socketpair", family="AF_UNIX", type="SOCK_STREAM", descriptors=[one, other])


def test_a_number_given_again_while_close_has_not_returned() -> None:
    """The number is free as soon as close is entered; another thread gets it at once."""
    story = Story(server="10.0.0.2")
    one = story.thread("server")
    two = one.spawn(101)
    tcp_socket(one, 3)
    closing = one.begin("close", 3)
    tcp_socket(two, 3)
    two.call("listen", 3)
    one.end(closing)
    two.call("close", 3)
    timeline = Timeline.of(story.recording())
    first, second = calls(timeline, "socket")
    assert call(timeline, "listen").socket == second.socket
    assert [c.socket for c in calls(timeline, "close")] == [first.socket, second.socket]
    assert [c.last for c in calls(timeline, "close")] == [True, True]


def test_a_call_in_another_thread_that_began_before_close_is_on_the_old_socket() -> None:
    story = Story(server="10.0.0.2")
    one = story.thread("server")
    two = one.spawn(101)
    tcp_socket(one, 3)
    waiting = two.begin("recvfrom", 3)
    one.call("close", 3)
    tcp_socket(one, 3)
    two.end(waiting, 5)
    timeline = Timeline.of(story.recording())
    assert call(timeline, "recvfrom").socket == calls(timeline, "socket")[0].socket


def test_a_call_entered_while_close_is_at_work_may_still_have_been_in_time() -> None:
    story = Story(server="10.0.0.2")
    one = story.thread("server")
    two = one.spawn(101)
    tcp_socket(one, 3)
    closing = one.begin("close", 3)
    two.call("sendto", 3, 5)
    one.end(closing)
    two.call("write", 3, 5)
    timeline = Timeline.of(story.recording())
    assert call(timeline, "sendto").socket == call(timeline, "socket").socket
    assert call(timeline, "write").socket is None


def test_a_coarse_clock_that_stamps_close_after_the_next_use_of_its_number() -> None:
    """tracefs: stamps stand for a microsecond, so a close may seem to come too late."""
    story = Story("tracefs", server="10.0.0.2")
    one = story.thread("server")
    two = one.spawn(101)
    tcp_socket(one, 3)
    closing = one.call("close", 3)
    tcp_socket(two, 3)
    late = story.calls[-1].end or 0
    story.calls[story.calls.index(closing)] = replace(closing, start=late + 500, end=late + 900)
    two.call("listen", 3)
    timeline = Timeline.of(story.recording())
    first, second = calls(timeline, "socket")
    assert call(timeline, "listen").socket == second.socket
    assert call(timeline, "close").socket == first.socket
    assert socket_of(timeline, second).released is None


def test_a_coarse_clock_that_stamps_a_call_before_the_return_of_the_one_before() -> None:
    story = Story("tracefs", server="10.0.0.2")
    one = story.thread("server")
    made = one.begin("socket", family="AF_INET", type="SOCK_STREAM")
    made = one.end(made, 3)
    listening = one.call("listen", 3)
    story.calls[1] = replace(listening, start=(made.end or 0) - 400)
    timeline = Timeline.of(story.recording())
    assert call(timeline, "listen").socket == call(timeline, "socket").socket


def test_a_descriptor_passed_in_a_message_stands_for_the_same_socket() -> None:
    story = Story(server="10.0.0.2")
    parent = story.thread("server")
    pair_of(parent, 3, 4)
    child = parent.fork(200)
    tcp_socket(parent, 5)
    parent.call("sendmsg", 3, 1, descriptors=[5])
    parent.call("close", 5)
    child.call("recvmsg", 4, 1, descriptors=[9])
    child.call("listen", 9)
    child.call("close", 9)
    timeline = Timeline.of(story.recording())
    made = call(timeline, "socket")
    assert call(timeline, "listen").socket == made.socket
    assert [c.last for c in calls(timeline, "close")] == [False, True]
    assert socket_of(timeline, made).holders == (100, 200)


def test_a_message_whose_receipt_is_stamped_before_it_is_sent() -> None:
    """strace: a return is stamped too early by as long as strace was held up."""
    story = Story(server="10.0.0.2")
    parent = story.thread("server")
    pair_of(parent, 3, 4)
    child = parent.fork(200)
    tcp_socket(parent, 5)
    receiving = child.begin("recvmsg", 4)
    early = story.now + 1
    parent.call("sendmsg", 3, 1, descriptors=[5])
    parent.call("close", 5)
    receiving = child.end(receiving, 1, descriptors=[9])
    story.calls[story.calls.index(receiving)] = replace(receiving, end=early)
    child.call("listen", 9)
    timeline = Timeline.of(story.recording())
    assert call(timeline, "listen").socket == call(timeline, "socket").socket
    assert not call(timeline, "close").last


def test_a_later_message_does_not_hold_up_the_receipt_of_one_before() -> None:
    story = Story(server="10.0.0.2")
    main = story.thread("server")
    pair_of(main, 3, 4)
    one, other = main.fork(200), main.fork(300)
    for fd in (5, 6, 7):
        tcp_socket(main, fd)
    main.call("sendmsg", 3, 1, descriptors=[5])
    one.call("recvmsg", 4, 1, descriptors=[9])
    main.call("sendmsg", 3, 1, descriptors=[6])
    other.call("recvmsg", 4, 1, descriptors=[9])
    main.call("sendmsg", 3, 1, descriptors=[7])
    one.call("listen", 9)
    other.call("bind", 9)
    timeline = Timeline.of(story.recording())
    first, second, _ = calls(timeline, "socket")
    assert call(timeline, "listen").socket == first.socket
    assert call(timeline, "bind").socket == second.socket


def test_another_thread_may_use_what_came_before_the_next_message() -> None:
    story = Story(server="10.0.0.2")
    main = story.thread("server")
    pair_of(main, 3, 4)
    child = main.fork(200)
    second = child.spawn(201)
    tcp_socket(main, 5)
    tcp_socket(main, 6)
    main.call("sendmsg", 3, 1, descriptors=[5])
    child.call("recvmsg", 4, 1, descriptors=[9])
    second.call("listen", 9)
    main.call("sendmsg", 3, 1, descriptors=[6])
    child.call("close", 9)
    timeline = Timeline.of(story.recording())
    assert call(timeline, "listen").socket == calls(timeline, "socket")[0].socket


def test_messages_of_several_pairs_do_not_get_mixed_up() -> None:
    story = Story(server="10.0.0.2")
    parent = story.thread("server")
    pair_of(parent, 3, 4)
    pair_of(parent, 5, 6)
    tcp_socket(parent, 7)
    tcp_socket(parent, 8)
    parent.call("sendmsg", 3, 1, descriptors=[7])
    parent.call("sendmsg", 5, 1, descriptors=[8])
    parent.call("recvmsg", 6, 1, descriptors=[10])
    parent.call("recvmsg", 4, 1, descriptors=[11])
    parent.call("listen", 10)
    parent.call("bind", 11)
    timeline = Timeline.of(story.recording())
    first, second = calls(timeline, "socket")
    assert call(timeline, "listen").socket == second.socket
    assert call(timeline, "bind").socket == first.socket


def test_of_two_senders_that_are_no_pair_nothing_is_guessed() -> None:
    story = Story(server="10.0.0.2")
    thread = story.thread("server")
    for fd in (3, 4, 5):
        thread.call("socket", result=fd, family="AF_UNIX", type="SOCK_STREAM")
    tcp_socket(thread, 7)
    tcp_socket(thread, 8)
    thread.call("sendmsg", 3, 1, descriptors=[7])
    thread.call("sendmsg", 4, 1, descriptors=[8])
    thread.call("recvmsg", 5, 1, descriptors=[10])
    thread.call("write", 10, 1)
    assert call(Timeline.of(story.recording()), "write").socket is None


@pytest.mark.parametrize("flags", [[], ["MSG_CMSG_CLOEXEC"]])
def test_a_passed_descriptor_may_be_closed_by_exec(flags: list[str]) -> None:
    story = Story(server="10.0.0.2")
    thread = story.thread("server")
    pair_of(thread, 3, 4)
    tcp_socket(thread, 5)
    thread.call("sendmsg", 3, 1, descriptors=[5])
    thread.call("close", 5)
    thread.call("recvmsg", 4, 1, descriptors=[6], flags=flags)
    thread.exec("/bin/server")
    timeline = Timeline.of(story.recording())
    assert (timeline.sockets[-1].released is not None) is bool(flags)


def test_a_coarse_clock_that_stamps_entry_and_return_alike() -> None:
    story = Story("tracefs", server="10.0.0.2")
    thread = story.thread("server")
    tcp_socket(thread, 3)
    thread.call("listen", 3)
    for name, given in (("accept", 4), ("dup", 5)):
        made = thread.call(name, 3, given)
        story.calls[-1] = replace(made, start=made.end or 0)
    timeline = Timeline.of(story.recording())
    listener = call(timeline, "socket").socket
    assert socket_of(timeline, call(timeline, "accept")).listener == listener
    assert call(timeline, "dup").socket == listener
