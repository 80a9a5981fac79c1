"""A swarm without a network: its frames, its plan, and what is given to whom."""

from __future__ import annotations

import hashlib
import random
import socket
from pathlib import Path

import pytest
from exchange import Exchange
from hypothesis import given
from hypothesis import strategies as st
from manifest import LARGEST, MOST_PIECES, SMALLEST, Manifest, piece_size
from napster import Malformed
from receiving import CannotWrite
from swarm_give import MOST_QUEUED, Giving
from swarm_line import Line
from swarm_plan import ANY, GRACE, OVERDUE, STALLED, TIMES_USUAL, Plan
from swarm_source import DEPTH, MOST_DEPTH, Source
from swarm_store import Partial
from swarm_wire import (
    MOST_DATA,
    Decoder,
    Frame,
    Hello,
    Kind,
    any_of,
    bits,
    frame,
    numbers,
    parse_any,
    parse_bits,
    parse_numbers,
)


def decoded(data: bytes) -> list[Frame]:
    decoder = Decoder()
    decoder.feed(data)
    found = []
    while (message := decoder.next()) is not None:
        found.append(message)
    return found


@given(st.lists(st.tuples(st.sampled_from(Kind), st.binary(max_size=300))), st.integers(1, 50))
def test_frames_come_back_in_whatever_pieces(said: list[tuple[Kind, bytes]], cut: int) -> None:
    stream = b"".join(frame(kind, data) for kind, data in said)
    decoder, found = Decoder(), []
    for at in range(0, len(stream), cut):
        decoder.feed(stream[at : at + cut])
        while (message := decoder.next()) is not None:
            found.append((message.kind, message.data))
    assert found == said


@given(st.binary(max_size=200))
def test_garbage_is_malformed_or_waited_for(data: bytes) -> None:
    try:
        messages = decoded(data)
    except Malformed:
        return
    for message in messages:
        for parse in (Hello.parse, parse_any, lambda raw: parse_bits(raw, 9)):
            try:
                parse(message.data)
            except Malformed:
                continue


def test_how_much_of_a_frame_is_missing() -> None:
    decoder = Decoder()
    assert decoder.missing == 0
    decoder.feed(frame(Kind.PIECE, bytes(100))[:30])
    assert decoder.missing == 75
    decoder.feed(bytes(75) + b"\x04")
    assert decoder.missing == 0
    assert decoder.next() is not None
    assert decoder.missing == 0


def test_a_frame_byte_for_byte() -> None:
    hello = Hello("x", "a b.mp3", 7, "-", 6699)
    assert hello.frame() == b'\x01\x14\x00\x00\x00x "a b.mp3" 7 - 6699'
    assert Hello.parse(hello.frame()[5:]) == hello
    assert numbers(Kind.ASK, [1, 258]) == b"\x05\x08\x00\x00\x00\x01\x00\x00\x00\x02\x01\x00\x00"
    assert bits({0, 9}, 10) == b"\x03\x02\x00\x00\x00\x01\x02"
    assert any_of(1, 3) == b"\x06\x04\x00\x00\x00\x01\x00\x03\x00"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: decoded(b"\x07" + (MOST_DATA + 1).to_bytes(4, "little")),
        lambda: decoded(b"\x63\x00\x00\x00\x00"),
        lambda: parse_numbers(b"\0\0\0", 5),
        lambda: parse_numbers(b"\5\0\0\0", 5),
        lambda: parse_bits(b"\0\0", 8),
        lambda: parse_any(b"\1\0\1\0"),
        lambda: parse_any(b"\0\0\0\0"),
        lambda: Hello.parse(b"x y z"),
        lambda: Hello.parse(b"x y -1 - 70000"),
    ],
)
def test_what_is_malformed(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(Malformed):
        wrong()


@pytest.mark.parametrize("size", [0, 1, SMALLEST, SMALLEST + 1, 3 * SMALLEST - 1])
def test_a_manifest_knows_each_piece(tmp_path: Path, size: int) -> None:
    data = random.Random(size).randbytes(size)
    (tmp_path / "a").write_bytes(data)
    with (tmp_path / "a").open("rb") as file:
        manifest = Manifest.of(file.fileno())
    assert Manifest.parse(size, manifest.hashes, manifest.root) == manifest
    spans = [manifest.span(number) for number in range(manifest.pieces)]
    assert sum(count for _, count in spans) == size
    for number, (offset, count) in enumerate(spans):
        block = data[offset : offset + count]
        assert manifest.is_right(number, block)
        assert not manifest.is_right(number, block + b"x")
    with pytest.raises(Malformed):
        Manifest.parse(size, manifest.hashes, hashlib.sha256(b"another").hexdigest())
    with pytest.raises(Malformed):
        Manifest.parse(size + 1, manifest.hashes, manifest.root)


@given(st.integers(0, 1 << 43))
def test_pieces_stay_few_and_small(size: int) -> None:
    piece = piece_size(size)
    assert SMALLEST <= piece <= LARGEST
    assert size <= piece * MOST_PIECES or piece == LARGEST


def test_a_partial_file_gets_its_name_when_it_is_kept(tmp_path: Path) -> None:
    manifest = Manifest(5, hashlib.sha256(b"hello").digest())
    partial = Partial(manifest, tmp_path / "a")
    partial.write(0, b"hello")
    assert [path.name[:6] for path in tmp_path.iterdir()] == [".part-"]
    partial.keep()
    assert partial.read(0) == b"hello"
    partial.discard()
    assert (tmp_path / "a").read_bytes() == b"hello"
    Partial(manifest, tmp_path / "b").discard()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    with pytest.raises(CannotWrite, match="No such file"):
        Partial(manifest, tmp_path / "none" / "c")


def seed_of(plan: Plan, name: str = "seed") -> Source:
    source = Source(name, seed=True)
    plan.join(source)
    plan.offer(source, range(plan.pieces))
    return source


def peer_of(plan: Plan, *has: int, name: str = "peer") -> Source:
    source = Source(name)
    plan.join(source)
    plan.offer(source, has)
    return source


def test_a_seed_chooses_what_to_send() -> None:
    plan = Plan(10)
    seed = seed_of(plan)
    assert plan.asks(0) == [(seed, ANY)] * DEPTH
    assert plan.asks(0) == []
    plan.got(seed, 7, 1)
    assert plan.asks(1) == [(seed, ANY)]


def test_of_two_seeds_each_sends_a_share() -> None:
    plan = Plan(10)
    second, first = seed_of(plan, "b"), seed_of(plan, "a")
    assert (plan.share_of(first), plan.share_of(second)) == ((0, 2), (1, 2))


def test_no_piece_is_asked_of_two_peers() -> None:
    plan = Plan(6)
    peers = [peer_of(plan, *range(6), name=name) for name in "ab"]
    asked = plan.asks(0)
    assert sorted(piece for _, piece in asked) == list(range(6))
    assert {source for source, _ in asked} == set(peers)


def test_what_is_overdue_is_asked_of_another_and_then_cancelled() -> None:
    plan = Plan(1)
    slow, quick = peer_of(plan, 0, name="slow"), peer_of(plan, name="quick")
    assert plan.asks(0) == [(slow, 0)]
    plan.offer(quick, [0])
    assert plan.asks(OVERDUE) == []
    assert plan.asks(OVERDUE + 0.1) == [(quick, 0)]
    assert plan.got(quick, 0, 3) == [slow]
    assert plan.complete
    assert slow.outstanding == quick.outstanding == 0


def test_who_leaves_owes_nothing_any_more() -> None:
    plan = Plan(2)
    one, other = peer_of(plan, 0, 1, name="one"), peer_of(plan, name="other")
    plan.asks(0)
    plan.offer(other, [0, 1])
    plan.leave(one)
    assert sorted(plan.asks(0), key=lambda ask: ask[1]) == [(other, 0), (other, 1)]


def test_what_only_a_dry_seed_has_is_asked_of_it_after_a_while() -> None:
    plan = Plan(2)
    seed = seed_of(plan)
    plan.asks(0)
    plan.refused(seed, ANY, 0)
    assert plan.asks(GRACE) == []
    asked = plan.asks(GRACE + 0.1)
    assert sorted(piece for _, piece in asked) == [0, 1]


def test_a_seed_that_does_not_give_what_it_has_keeps_nobody_from_one_that_does() -> None:
    plan = Plan(DEPTH)
    liar, honest = seed_of(plan, "a"), seed_of(plan, "b")
    for seed in (liar, honest):
        plan.refused(seed, ANY, 0)
    now = GRACE + 0.1
    assert {source for source, _ in plan.asks(now)} == {liar}
    for piece in range(DEPTH):
        plan.refused(liar, piece, now)
    plan.offer(liar, range(DEPTH))
    assert {source for source, _ in plan.asks(now + GRACE)} == {honest}


def test_one_who_says_again_that_it_has_what_it_did_not_give_is_not_believed() -> None:
    plan = Plan(1)
    liar, honest = peer_of(plan, 0, name="a"), peer_of(plan, 0, name="b")
    assert plan.asks(0) == [(liar, 0)]
    plan.refused(liar, 0, 0)
    plan.offer(liar, [0])
    assert plan.asks(0) == [(honest, 0)]


def test_a_seed_is_asked_for_nothing_new_while_many_wait_for_this_peer() -> None:
    plan = Plan(10)
    seed, peer = seed_of(plan), peer_of(plan, 4)
    assert plan.asks(0, spare=False) == [(peer, 4)]
    assert plan.asks(0) == [(seed, ANY)] * DEPTH


def test_what_a_peer_owes_for_too_long_is_asked_of_a_dry_seed_too() -> None:
    plan = Plan(1)
    seed, slow = seed_of(plan), peer_of(plan, 0, name="slow")
    plan.refused(seed, ANY, 0)
    assert plan.asks(0) == [(slow, 0)]
    assert plan.asks(OVERDUE) == []
    assert plan.asks(OVERDUE + 0.1) == [(seed, 0)]


def test_where_all_take_long_nothing_is_overdue_so_soon() -> None:
    plan = Plan(100)
    slow, other = peer_of(plan, *range(100), name="slow"), peer_of(plan, name="other")
    now = 0.0
    while len(plan.have) < 90:
        plan.asks(now)
        now += 4
        plan.got(slow, min(slow.owes, key=lambda piece: slow.owes[piece]), now)
    plan.asks(now)
    owed = slow.owes.copy()
    assert sorted(owed.values()) == [now - 8, now - 4, now]
    plan.offer(other, owed)
    usual = 12  # the mean comes near to it
    assert plan.asks(now - 8 + TIMES_USUAL * usual - 1) == []
    late = plan.asks(now + TIMES_USUAL * usual + 0.1)
    assert {(source, piece) for source, piece in late} == {(other, piece) for piece in owed}


def test_who_owes_and_is_silent_is_stalled() -> None:
    plan = Plan(5)
    peer, idle = peer_of(plan, 0, name="a"), peer_of(plan, name="b")
    plan.asks(10)
    assert plan.stalled(10 + STALLED) == []
    assert plan.stalled(10.1 + STALLED) == [peer]
    assert idle.outstanding == 0


def test_a_seed_gives_every_piece_out_once_before_any_twice() -> None:
    giving: Giving[str] = Giving(6, set(range(6)))
    given_out: list[int | None] = []
    for taker in "ab":
        giving.join(taker)
    for _ in range(4):
        for taker in "ab":
            assert giving.ask(taker, (0, 1))
    while (turn := giving.next()) is not None:
        given_out.append(turn[1])
    assert given_out == [0, 1, 2, 3, 4, 5, None, None]


def test_turns_are_taken_piece_by_piece_and_the_busy_are_passed_over() -> None:
    giving: Giving[str] = Giving(4, set(range(4)))
    for taker in "ab":
        giving.join(taker)
    for piece in (0, 1, 2):
        giving.ask("a", piece)
    giving.ask("b", 3)
    assert giving.next() == ("a", 0)
    assert giving.next(["b"]) == ("a", 1)
    assert giving.next() in (("b", 3), ("a", 2))
    giving.cancel("a", 2)
    giving.cancel("b", 3)
    assert giving.next() is None


def test_what_is_not_here_or_too_much_is_refused() -> None:
    giving: Giving[str] = Giving(2, {1})
    giving.join("a")
    assert not giving.ask("a", 0)
    assert giving.waiting == 0
    assert all(giving.ask("a", 1) for _ in range(MOST_QUEUED))
    assert giving.waiting == MOST_QUEUED
    assert not giving.ask("a", 1)


def test_what_went_to_one_who_has_gone_is_given_out_again() -> None:
    giving: Giving[str] = Giving(1, {0})
    giving.join("a")
    giving.ask("a", (0, 1))
    assert giving.next() == ("a", 0)
    giving.leave("a")
    giving.join("b")
    giving.ask("b", (0, 1))
    assert giving.next() == ("b", 0)


@given(st.integers(1, 12), st.integers(1, 6), st.randoms(use_true_random=False))
def test_everybody_gets_everything_and_the_seed_sends_each_piece_once(
    pieces: int, count: int, chance: random.Random
) -> None:
    """The plan and the giving of `count` peers and one seed, message by message."""
    seed: Giving[int] = Giving(pieces, set(range(pieces)))
    plans = [Plan(pieces, chance) for _ in range(count)]
    giving: list[Giving[int]] = [Giving(pieces, plan.have) for plan in plans]
    sources: list[dict[int, Source]] = [{-1: seed_of(plan)} for plan in plans]
    for me in range(count):
        seed.join(me)
        for other in range(count):
            if other != me:
                giving[me].join(other)
                sources[me][other] = peer_of(plans[me], name=str(other))
    sent = [0] * pieces
    now = 0.0
    while not all(plan.complete for plan in plans):
        now += 0.3
        assert now < 60 * pieces
        for me, plan in enumerate(plans):
            names = {source: who for who, source in sources[me].items()}
            for source, piece in plan.asks(now):
                giver = seed if names[source] < 0 else giving[names[source]]
                assert giver.ask(me, (0, 1) if piece == ANY else piece)
        for who in chance.sample(range(-1, count), count + 1):
            turn = (seed if who < 0 else giving[who]).next()
            if turn is None:
                continue
            me, got = turn
            if got is None:
                plans[me].refused(sources[me][who], ANY, now)
                continue
            sent[got] += who < 0
            plans[me].got(sources[me][who], got, now)
            for other in range(count):
                if other != me:
                    plans[other].offer(sources[other][me], [got])
                    giving[other].has(me, [got])
            seed.has(me, [got])
    assert max(sent) <= 1


def asked_on_a_way(delay: float, each: float, pieces: int = 400) -> list[int]:
    """How many pieces a seed owed at a time that sends one after the other, each in `each`
    seconds, over a way of `delay` seconds there and back."""
    plan = Plan(pieces)
    seed = seed_of(plan)
    due: list[float] = []
    now, free, owed = 0.0, 0.0, []
    while not plan.complete:
        for _ in plan.asks(now):
            free = max(free, now + delay / 2) + each
            due.append(free + delay / 2)
        owed.append(seed.outstanding)
        now = due.pop(0)
        plan.got(seed, len(plan.have), now)
    return owed


def test_on_a_short_way_few_pieces_are_asked_for_at_a_time() -> None:
    """40 Mbit/s, and 0.2 ms to the other side."""
    assert set(asked_on_a_way(0.0002, 0.0137)[:-DEPTH]) == {DEPTH}


def test_on_a_long_way_as_many_as_fill_it() -> None:
    """40 Mbit/s, and 100 ms there and back: 8 pieces are on their way."""
    owed = asked_on_a_way(0.1, 0.0137)
    assert owed[0] == DEPTH
    assert 9 <= owed[100] <= 20
    assert max(owed) <= 20


def test_on_a_very_long_one_not_without_end() -> None:
    assert max(asked_on_a_way(1, 0.001)) == MOST_DEPTH


def test_of_the_peers_that_one_tells_only_those_with_addresses_are_called(tmp_path: Path) -> None:
    """A name would have to be looked up, for which all would wait; some text cannot even be."""
    called: list[tuple[str, int]] = []
    manifest = Manifest(1, hashlib.sha256(b"x").digest())
    partial = Partial(manifest, tmp_path / "film")
    exchange = Exchange(manifest, partial, lambda ip, port: called.append((ip, port)))
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as sock,
    ):
        line = Line(sock, sock.getpeername(), called=True, expects={})
        line.hello = Hello("liar", "film", 1, manifest.root, 0)
        exchange.join(line)
        said = b"10.0.0.1:5 some.name:6 \xff.name:6 nul\0:6 :6 10.0.0.256:6 10.0.0.2:0 10.0.0.3:7"
        exchange.take(line, Frame(Kind.PEERS, said))
    partial.discard()
    assert called == [("10.0.0.1", 5), ("10.0.0.3", 7)]
