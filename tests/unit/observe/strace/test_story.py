"""Halves of calls, threads and processes, from lines made for it."""

from __future__ import annotations

from labctl.observe.strace import Parsed, parse


def parsed(text: str, threads: dict[int, int] | None = None) -> Parsed:
    """Parse lines `TID SECOND REST`; the second stands for a time."""
    lines = []
    for line in text.strip().splitlines():
        tid, second, rest = line.strip().split(" ", 2)
        lines.append(f"{tid} {second}.000000000 {rest}\n".encode("latin-1"))
    return parse(lines, "h", threads or {})


def second(time: int | None) -> float | None:
    return None if time is None else time / 1e9


def test_halves_are_put_together_by_thread() -> None:
    calls = parsed("""
        1 10 accept4(3, <unfinished ...>
        2 11 recvfrom(4, <unfinished ...>
        1 12 <... accept4 resumed>NULL, NULL, 0) = 5 <2.000000000>
        2 13 <... recvfrom resumed>"x", 9, 0, NULL, NULL) = 1
    """).calls
    assert [(c.tid, c.name, c.fd, c.result, second(c.start), second(c.end)) for c in calls] == [
        (1, "accept4", 3, 5, 10, 12),
        (2, "recvfrom", 4, 1, 11, 13),
    ]
    assert calls[1].args == {"length": 9, "data": "x", "flags": []}


def test_a_half_without_the_other_is_told_once_and_counted() -> None:
    found = parsed("""
        1 10 read(3, <unfinished ...>
        1 11 close(3) = 0 <0.5>
        1 12 <... write resumed>) = 1
    """)
    assert [(c.name, c.result) for c in found.calls] == [("read", None), ("close", 0)]
    (notice,) = found.notices
    assert notice.text.startswith("1 line of strace could not be read")
    assert notice.missing == ("calls",)


def test_a_call_whose_arguments_cannot_be_read_is_not_missing() -> None:
    found = parsed("1 10 sendmsg(3, {msg_iov=[{iov_base=[{nlmsg_len=92}, 0) = 92 <0.1>")
    assert [(c.name, c.result) for c in found.calls] == [("sendmsg", 92)]
    (notice,) = found.notices
    assert notice.text.startswith("1 line of strace could not be read, or not in full")
    assert notice.missing == ()


def test_a_child_seen_before_its_clone_returned_is_its_parent_s() -> None:
    found = parsed("""
        1 10 clone3({flags=CLONE_VM|CLONE_THREAD}, 88 <unfinished ...>
        2 11 close(3) = 0 <0.1>
        1 12 <... clone3 resumed> => {parent_tid=[2]}, 88) = 2
        2 13 +++ exited with 0 +++
        2 14 close(4) = 0 <0.1>
    """)
    assert [(c.pid, c.tid) for c in found.calls if c.name == "close"] == [(1, 2), (2, 2)]
    thread, ended = found.processes
    assert (thread.kind, thread.pid, thread.child, second(thread.time)) == ("thread", 1, 2, 11)
    assert (ended.kind, ended.pid, ended.tid, ended.code) == ("exit", 1, 2, 0)


def test_a_number_that_is_used_again_is_another_process() -> None:
    found = parsed("""
        1 10 fork() = 2 <0.1>
        2 11 read(0, <unfinished ...>
        1 12 clone(child_stack=NULL, flags=CLONE_THREAD) = 2 <0.1>
        2 13 close(3) = 0 <0.1>
    """)
    assert [(c.name, c.pid, c.end is None) for c in found.calls if c.tid == 2] == [
        ("read", 2, True),
        ("close", 1, False),
    ]


def test_threads_that_were_there_are_their_process_s() -> None:
    found = parsed("9 10 close(3) = 0 <0.1>", {7: 7, 9: 7})
    assert [(c.pid, c.tid) for c in found.calls] == [(7, 9)]


def test_an_execve_by_a_later_thread() -> None:
    found = parsed("""
        1 10 clone(child_stack=NULL, flags=CLONE_THREAD) = 2 <0.1>
        1 11 accept(3, <unfinished ...>
        2 12 execve("/bin/x", ["x"], 0x7 /* 1 var */ <unfinished ...>
        1 13 +++ superseded by execve in pid 2 +++
        1 14 <... execve resumed>) = 0
        1 15 close(3) = 0 <0.1>
        1 16 +++ exited with 4 +++
    """)
    assert [(c.pid, c.tid, c.name, c.result) for c in found.calls[1:]] == [
        (1, 1, "accept", None),
        (1, 2, "execve", 0),
        (1, 1, "close", 0),
    ]
    assert [(e.kind, e.pid, e.tid) for e in found.processes] == [
        ("thread", 1, 1),
        ("exec", 1, 2),
        ("exit", 1, 1),
    ]


def test_a_restarted_call_goes_on_as_itself() -> None:
    found = parsed("""
        1 10 nanosleep(1) = 0
        1 11 poll([{fd=3, events=POLLIN}], 1, 50) = ? ERESTART_RESTARTBLOCK (Interrupted)
        1 12 restart_syscall(<... resuming interrupted poll ...> <unfinished ...>
        1 13 <... restart_syscall resumed>) = 0
        1 14 restart_syscall(<... resuming interrupted read ...>) = 0 <0.1>
    """)
    polls = [c for c in found.calls if c.name == "poll"]
    assert [(c.errno, c.result, c.args["timeout_ms"]) for c in polls] == [
        ("ERESTART_RESTARTBLOCK", -1, 50),
        (None, 0, 50),
    ]
    assert "restart_syscall" not in {c.name for c in found.calls}


def test_calls_of_32_bit_programs_have_the_names_of_the_man_pages() -> None:
    found = parsed("""
        1 10 _newselect(1, [0], NULL, NULL, NULL <unfinished ...>
        1 11 <... _newselect resumed>) = 1 (in [0])
        1 12 recvmmsg_time64(3, [], 0, 0, NULL) = 0
    """)
    assert [c.name for c in found.calls] == ["select", "recvmmsg"]


def test_a_call_that_the_end_cuts_is_kept_as_far_as_it_can_be_read() -> None:
    found = parse([b'1 10.000000000 sendto(3, "abc", 3, 0, {sa_fam'], "h", {})
    (call,) = found.calls
    assert (call.name, call.fd, call.end) == ("sendto", 3, None)
    assert call.args == {"length": 3, "data": "abc", "flags": []}
    assert found.notices == ()


def test_a_line_cut_in_the_middle_of_the_file_is_counted() -> None:
    found = parsed("""
        1 10 read(3, "ab
        1 11 close(3) = 0 <0.1>
    """)
    assert [c.name for c in found.calls] == ["close"]
    assert 'read(3, "ab' in found.notices[0].text
    assert found.notices[0].missing == ("calls",)


def test_what_strace_itself_says_is_told() -> None:
    said = [
        b"strace: Process 8 attached\n",
        b"strace: ptrace(PTRACE_SEIZE, 7): Operation not permitted\n",
        b"strace: \xff\n",
    ]
    (notice,) = parse(said, "h", {}).notices
    assert notice.text == (
        "strace says: ptrace(PTRACE_SEIZE, 7): Operation not permitted (and 1 messages more)"
    )


def test_a_ring_is_told_as_what_it_asks_is_not_seen() -> None:
    found = parsed("1 10 io_uring_setup(8, {flags=0}) = 3 <0.1>")
    assert found.calls == ()
    assert "io_uring" in found.notices[0].text
    assert found.notices[0].missing == ("calls",)


def test_a_parent_that_ignores_sigchld_is_told_of_no_child_s_end() -> None:
    """The other gets SIGCHLD, also where it has not asked for it."""
    found = parsed(
        """
        1 10 clone(child_stack=NULL, flags=SIGCHLD) = 2 <0.1>
        5 11 clone(child_stack=NULL, flags=SIGCHLD) = 6 <0.1>
        2 12 +++ exited with 0 +++
        6 13 +++ exited with 0 +++
        5 14 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=6, si_uid=0} ---
        5 15 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=99, si_uid=0} ---
    """,
        {1: 1, 5: 5},
    )
    assert [(e.pid, e.told_parent) for e in found.processes if e.kind == "exit"] == [
        (2, False),
        (6, True),
    ]
    assert found.notices == ()
