from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from labctl.play.procnet import Address, Socket, State, Transport, parse

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
REST = "00000000f2a1 100 0 0 10 0\n"


def line(sockets: str, queues: str, uid: int, inode: int, timer: str = "00:00000000") -> str:
    """A line with the widths that the kernel gives it."""
    return f"   0: {sockets} {queues} {timer} 00000000 {uid:5d}        0 {inode} 1 {REST}"


TCP = "".join(
    (
        HEAD,
        line("0B00007F:A8C9 00000000:0000 0A", "00000000:00000000", 0, 41310),
        line("00000000:1F90 00000000:0000 0A", "00000000:00000003", 1000, 41411),
        line("0201640A:1F90 0301640A:C350 01", "00000010:00000200", 1000, 41512, "01:00000014"),
        line("0201640A:C351 0301640A:0050 06", "00000000:00000000", 0, 0, "03:00000A2C"),
    )
)
ANY6 = "0" * 32
ONE6, TWO6 = (f"B80D01200000000000000000{n:08X}" for n in (0x01000000, 0x02000000))
TCP6 = "".join(
    (
        HEAD,
        line(f"{ANY6}:0016 {ANY6}:0000 0A", "00000000:00000000", 0, 20567),
        line(f"{ONE6}:0050 {TWO6}:D431 01", "00000000:00000000", 33, 99999),
    )
)
UDP = "".join(
    (
        HEAD,
        line("00000000:0035 00000000:0000 07", "00000000:00000A00", 101, 20303),
        line("0100007F:9C40 0100007F:0035 01", "00000000:00000000", 1000, 20304),
    )
)


def test_tcp_listening_and_connected() -> None:
    resolver, server, connected, ended = parse(TCP, "tcp")
    assert str(resolver.local) == "127.0.0.11"
    assert (str(server.local), server.local_port, server.state) == ("0.0.0.0", 8080, State.LISTEN)
    assert (server.receive_queue, server.uid, server.inode) == (3, 1000, 41411)
    assert (str(connected.local), str(connected.remote)) == ("10.100.1.2", "10.100.1.3")
    assert (connected.remote_port, connected.send_queue, connected.receive_queue) == (
        50000,
        16,
        512,
    )
    assert ended.state is State.TIME_WAIT
    assert [s.bound for s in (server, connected, ended)] == [True, False, False]


def test_ipv6_words_are_in_the_machines_order() -> None:
    any_address, connected = parse(TCP6, "tcp")
    assert str(any_address.local) == "::"
    assert str(connected.local) == "2001:db8::1"
    assert str(connected.remote) == "2001:db8::2"


def test_both_files_one_after_the_other() -> None:
    assert [s.local.version for s in parse(TCP + TCP6, "tcp")] == [4, 4, 4, 4, 6, 6]


def test_udp_is_bound_without_listening() -> None:
    server, client = parse(UDP, "udp")
    assert server.state is State.CLOSE and server.bound and server.local_port == 53
    assert client.state is State.ESTABLISHED and client.bound


def test_a_line_cut_short_and_other_text_are_passed_over() -> None:
    cut = TCP.splitlines()[2][:60]
    assert parse(f"cat: no such file\n{cut}\n\n", "tcp") == []


def written(socket: Socket, byteorder: str) -> str:
    """A line as the kernel writes it (net/ipv4/tcp_ipv4.c, get_openreq4 and its like)."""

    def digits(address: Address) -> str:
        packed = address.packed
        words = [packed[i : i + 4] for i in range(0, len(packed), 4)]
        ordered = (w[::-1] if byteorder == "little" else w for w in words)
        return "".join(w.hex().upper() for w in ordered)

    return (
        f"  12: {digits(socket.local)}:{socket.local_port:04X} "
        f"{digits(socket.remote)}:{socket.remote_port:04X} {socket.state.value:02X} "
        f"{socket.send_queue:08X}:{socket.receive_queue:08X} 00:00000000 00000000 "
        f"{socket.uid:5d} {0:8d} {socket.inode} 1 0000000000000000 100 0 0 10 0\n"
    )


PORTS = st.integers(0, 65535)
SIZES = st.integers(0, 2**32 - 1)


@st.composite
def sockets(draw: st.DrawFn, transport: Transport) -> Socket:
    address = draw(st.sampled_from([st.ip_addresses(v=4), st.ip_addresses(v=6)]))
    return Socket(
        transport,
        draw(address),
        draw(PORTS),
        draw(address),
        draw(PORTS),
        draw(st.sampled_from(State)),
        draw(SIZES),
        draw(SIZES),
        draw(SIZES),
        draw(SIZES),
    )


@given(st.lists(sockets("tcp"), max_size=5), st.sampled_from(["little", "big"]))
def test_what_a_kernel_writes_is_read_back(listed: list[Socket], byteorder: str) -> None:
    text = "".join(written(s, byteorder) for s in listed)
    assert parse(text, "tcp", byteorder) == listed  # type: ignore[arg-type]


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    for socket in parse(text, "udp"):
        assert 0 <= socket.local_port <= 65535


@given(
    st.integers(0, len(TCP + TCP6) - 1),
    st.text(alphabet="0123456789ABCDEFxyz: \n\t٣", min_size=1, max_size=3),
)
def test_a_damaged_text_gives_sockets_or_nothing(at: int, damage: str) -> None:
    text = TCP + TCP6
    for socket in parse(text[:at] + damage + text[at + 1 :], "tcp"):
        assert isinstance(socket.local, ipaddress.IPv4Address | ipaddress.IPv6Address)
        assert 0 <= socket.local_port <= 65535 and 0 <= socket.remote_port <= 65535
