"""Single lines of the kernel's trace, and of the observer's between them."""

from __future__ import annotations

from labctl.observe.tracefs.lines import Line, scan

AT = b"[001] ..... 1700000000.000005: "
TIME = 1_700_000_000_000_005_000


def line(text: bytes, command: bytes = b"python3", at: bytes = AT) -> bytes:
    return command.rjust(16) + b"-7     " + at + text + b"\n"


def only(*raw: bytes) -> Line:
    found = scan(raw)
    assert found.unreadable == 0
    (one,) = found.lines
    return one


def test_an_entry_with_its_arguments() -> None:
    found = only(line(b"sys_sendto(fd: 3, buff: 0x7f, len: 5, flags: 4000, addr: 0, addr_len: 0)"))
    assert (found.time, found.tid, found.cpu, found.soft) == (TIME, 7, 1, False)
    assert (found.call, found.values, found.result) == ("sendto", [3, 0x7F, 5, 0x4000, 0, 0], None)


def test_a_return_is_signed() -> None:
    assert only(line(b"sys_read -> 0x340")).returned == 0x340
    assert only(line(b"sys_read -> 0xfffffffffffffff5")).returned == -11


def test_an_event() -> None:
    found = only(line(b"sched_process_exit: comm=x pid=7 prio=120 group_dead=true"))
    assert (found.event, found.text[:6], found.call) == (b"sched_process_exit", b"comm=x", "")


def test_what_an_interrupt_did_is_marked() -> None:
    assert only(line(b"x: y", at=b"[001] ..s2. 1.000000: ")).soft
    assert only(line(b"x: y", at=b"[001] d.h1. 1.000000: ")).soft
    assert not only(line(b"x: y", at=b"[001] dN.1. 1.000000: ")).soft


def test_a_command_may_look_like_anything() -> None:
    assert only(line(b"sys_close -> 0x0", b"-1 [000] ..... ")).tid == 7
    assert only(line(b"sys_close -> 0x0", b"a\nb")).call == "close"
    assert only(line(b"sys_close -> 0x0", b"\xff\xfe")).call == "close"


def test_a_line_that_a_name_breaks_in_two_is_put_together() -> None:
    raw = line(b"sched_process_exec: filename=/a\nb pid=7 old_pid=7")
    first, second = raw.splitlines(keepends=True)
    found = only(first, second)
    assert found.text.startswith(b"filename=/a\nb pid=7")


def test_events_that_found_no_room_are_counted() -> None:
    found = scan([b"CPU:1 [LOST 12 EVENTS]\n", b"CPU:0 [LOST 3 EVENTS]\n"])
    assert (found.lost, found.unreadable, found.lines) == (15, 0, [])


def test_marks_are_told_and_set_the_clock() -> None:
    found = scan([line(b"x: y"), b'#labctl {"ahead": 37000000000}\n', line(b"x: y")])
    assert [one.time for one in found.lines] == [TIME, TIME - 37_000_000_000]
    assert found.marks == [{"ahead": 37_000_000_000}]


def test_what_is_no_line_is_counted() -> None:
    wrong = [b"#labctl {", b"#labctl [1]", b"#labctl " + b"[" * 100_000, b"no line", b"nor this"]
    found = scan([*wrong, line(b"x: y"), b"# a heading", b"\n"])
    assert (found.unreadable, len(found.lines)) == (5, 1)
