"""What the directory answers, without a network: messages in, messages out."""

from __future__ import annotations

import pytest
from dialogue import PATIENCE, Answer, Dialogue
from hypothesis import given
from hypothesis import strategies as st
from messages import File
from napster import Kind, Message, encode
from query import Search
from table import MOST_FILES_A_USER, Table, TableFull, User

LOGIN = '{} pw 6699 "c" 3'
MD5 = "0123456789abcdef0123456789abcdef"


def dialogue_of(*nicks: str) -> Dialogue:
    """A dialogue in which visitor 0, 1, ... have logged in under the nicks."""
    dialogue = Dialogue()
    for visitor, nick in enumerate(nicks):
        dialogue.arrive(visitor, f"10.0.0.{visitor + 1}")
        answers = dialogue.receive(visitor, Message(Kind.LOGIN, LOGIN.format(nick)), 0)
        assert [a.message.kind for a in answers if a.message] == [3, 621, 214]
    return dialogue


def share(dialogue: Dialogue, visitor: int, name: str, now: float = 0) -> None:
    message = Message(Kind.SHARE, f'"{name}" {MD5} 7 0 0 0')
    assert dialogue.receive(visitor, message, now) == []


def test_the_four_steps() -> None:
    dialogue = dialogue_of("a", "x")
    share(dialogue, 0, "song one.mp3")
    search = Message(Kind.SEARCH, 'FILENAME CONTAINS "SONG" MAX_RESULTS 5')
    assert dialogue.receive(1, search, 0) == [
        Answer(1, Message(201, f'"song one.mp3" {MD5} 7 0 0 0 a 16777226 3')),
        Answer(1, Message(202, "")),
    ]
    assert dialogue.receive(1, Message(Kind.DOWNLOAD, 'a "song one.mp3"'), 0) == [
        Answer(0, Message(607, 'x "song one.mp3"'))
    ]
    assert dialogue.receive(0, Message(Kind.ACCEPTED, 'x "song one.mp3"'), 1) == [
        Answer(1, Message(204, f'a 16777226 6699 "song one.mp3" {MD5} 3'))
    ]


def test_ones_own_files_are_left_out() -> None:
    dialogue = dialogue_of("a")
    share(dialogue, 0, "s")
    answers = dialogue.receive(0, Message(Kind.SEARCH, 'FILENAME CONTAINS "s"'), 0)
    assert answers == [Answer(0, Message(202))]


@pytest.mark.parametrize("wish", ['nobody "s"', 'a "other"', 'x "s"', 'closed "s"'])
def test_what_is_not_to_be_had(wish: str) -> None:
    dialogue = dialogue_of("a", "x", "closed")
    share(dialogue, 0, "s")
    share(dialogue, 2, "s")
    dialogue.receive(2, Message(Kind.DATA_PORT, "0"), 0)
    assert dialogue.receive(1, Message(Kind.DOWNLOAD, wish), 0) == [Answer(1, Message(206, wish))]


@pytest.mark.parametrize("end", ["silent", "gone", "unshared"])
def test_a_holder_that_does_not_accept(end: str) -> None:
    dialogue = dialogue_of("a", "x")
    share(dialogue, 0, "s")
    dialogue.receive(1, Message(Kind.DOWNLOAD, 'a "s"'), 0)
    assert dialogue.tick(PATIENCE - 1) == []
    if end == "silent":
        answers = dialogue.tick(PATIENCE)
    elif end == "gone":
        answers = dialogue.leave(0)
    else:
        answers = dialogue.receive(0, Message(Kind.UNSHARE, "s"), 1)
    assert answers == [Answer(1, Message(206, 'a "s"'))]
    assert not dialogue.waiting


def test_who_asked_and_left_is_forgotten() -> None:
    dialogue = dialogue_of("a", "x")
    share(dialogue, 0, "s")
    dialogue.receive(1, Message(Kind.DOWNLOAD, 'a "s"'), 0)
    assert dialogue.leave(1) == []
    (answer,) = dialogue.receive(0, Message(Kind.ACCEPTED, 'x "s"'), 1)
    assert answer.message is not None
    assert answer.message.kind == 404


def test_an_acceptance_nobody_asked_for_sends_nothing_to_others() -> None:
    dialogue = dialogue_of("a", "x")
    share(dialogue, 0, "s")
    assert [a.to for a in dialogue.receive(0, Message(Kind.ACCEPTED, 'x "s"'), 0)] == [0]


@pytest.mark.parametrize("nick", ["a", "A"])
def test_a_nick_in_use_is_refused(nick: str) -> None:
    dialogue = dialogue_of("a")
    dialogue.arrive(9, "10.0.0.9")
    refusal, end = dialogue.receive(9, Message(Kind.LOGIN, LOGIN.format(nick)), 0)
    assert refusal.message == Message(0, f"{nick} is logged in already")
    assert end == Answer(9, None)
    assert dialogue.leave(9) == []
    assert dialogue.table.user("a") is not None


@pytest.mark.parametrize(
    ("nick", "kind"), [("a", 9), ("A", 9), ("b", 8), ("b c", 10), ('"', 10), ("", 10)]
)
def test_is_this_nick_free(nick: str, kind: int) -> None:
    dialogue = dialogue_of("a")
    dialogue.arrive(9, "10.0.0.9")
    assert dialogue.receive(9, Message(7, nick), 0) == [Answer(9, Message(kind))]


@pytest.mark.parametrize("data", ["", "a b", 'a b x "c" 1', 'a b 70000 "c" 1', 'a" b 1 "c" 1'])
def test_a_bad_login_is_refused(data: str) -> None:
    dialogue = Dialogue()
    dialogue.arrive(0, "10.0.0.1")
    answers = dialogue.receive(0, Message(Kind.LOGIN, data), 0)
    assert [a.message and a.message.kind for a in answers] == [0, None]


def test_before_login_nothing_else_is_done() -> None:
    dialogue = Dialogue()
    dialogue.arrive(0, "10.0.0.1")
    answers = dialogue.receive(0, Message(Kind.SHARE, f'"s" {MD5} 1 0 0 0'), 0)
    assert answers == [Answer(0, Message(0, "log in first")), Answer(0, None)]


def test_an_unknown_or_malformed_message_gets_404_and_changes_nothing() -> None:
    dialogue = dialogue_of("a")
    for message in (Message(999), Message(Kind.SHARE, '"s" x'), Message(Kind.SEARCH, "y" * 3000)):
        ((to, answer),) = dialogue.receive(0, message, 0)
        assert to == 0
        assert answer is not None
        assert answer.kind == 404
        assert answer.data.startswith(f"{message.kind}: ")
    assert dialogue.table.statistics() == (1, 0, 0)


def test_statistics_count_whole_gigabytes() -> None:
    dialogue = dialogue_of("a", "b")
    for size in (10**9, 2 * 10**9 - 1):
        dialogue.receive(0, Message(Kind.SHARE, f'"s" {MD5} {size} 0 0 0'), 0)
    assert dialogue.receive(1, Message(214), 0) == [Answer(1, Message(214, "2 1 1"))]
    dialogue.leave(0)
    assert dialogue.receive(1, Message(214), 0) == [Answer(1, Message(214, "1 0 0"))]


def test_the_table_follows_joins_and_leaves() -> None:
    table = Table()
    users = [User("a", "10.0.0.1", 1, 0), User("b", "10.0.0.2", 2, 0)]
    song, other = File("song", MD5, 5), File("song", MD5, 6)
    for user in users:
        assert table.join(user)
        table.share(user.nick, song)
    assert table.rows() == {song: users}
    table.share("b", other)
    assert table.rows() == {song: users[:1], other: users[1:]}
    table.leave("A")
    assert table.rows() == {other: users[1:]}
    assert table.unshare("b", "song")
    assert not table.unshare("b", "song")
    assert table.rows() == {}


def test_the_table_bounds_what_one_user_may_share() -> None:
    table = Table()
    table.join(User("a", "10.0.0.1", 1, 0))
    for index in range(MOST_FILES_A_USER):
        table.share("a", File(str(index), MD5, 1))
    with pytest.raises(TableFull):
        table.share("a", File("one more", MD5, 1))
    table.share("a", File("7", MD5, 2))


def test_a_search_gives_exact_names_first_and_no_more_than_asked() -> None:
    table = Table()
    table.join(User("a", "10.0.0.1", 1, 0))
    for index in range(200):
        table.share("a", File(f"s {index}", MD5, 1))
    table.share("a", File("S", MD5, 1))
    names = [r.file.name for r in table.search(Search(("s",)), "x")]
    assert (names[0], len(names)) == ("S", 100)
    assert len(table.search(Search(("s",), 3), "x")) == 3
    assert table.search(Search(("s",), 0), "x") == []


NICKS = st.sampled_from(["a", "b", "A", "c d", "", "é", "x" * 65, 'q"'])
NAMES = st.one_of(
    st.sampled_from(["s", "t u", "n" * 1024, "é" * 600, "\0", "\udc80", ""]), st.text(max_size=9)
)
DATA = st.one_of(
    NICKS,
    NAMES,
    st.binary(max_size=3000).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
    NICKS.map(LOGIN.format),
    st.builds('{} "{}"'.format, NICKS, NAMES),
    st.builds('"{}" {} {} 0 0 0'.format, NAMES, st.sampled_from([MD5, '"m d"']), st.integers()),
    st.builds('FILENAME CONTAINS "{}" MAX_RESULTS {}'.format, NAMES, st.integers(-1, 200)),
    st.integers(-1, 70000).map(str),
)
ACTIONS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.one_of(st.sampled_from([int(kind) for kind in Kind]), st.integers(0, 65535)),
        DATA,
    ),
    max_size=40,
)


@given(ACTIONS)
def test_no_messages_raise_and_every_answer_can_be_sent(
    actions: list[tuple[int, int, str]],
) -> None:
    dialogue = Dialogue()
    here: set[int] = set()
    for now, (visitor, kind, data) in enumerate(actions):
        if visitor not in here:
            dialogue.arrive(visitor, "10.0.0.1")
            here.add(visitor)
        answers = dialogue.receive(visitor, Message(kind, data), now)
        if Answer(visitor, None) in answers or kind == 65535:
            here.discard(visitor)
            answers += dialogue.leave(visitor)
        for to, message in answers + dialogue.tick(now):
            assert to in here | {visitor}
            if message is not None:
                assert len(encode(message)) <= 4 + 2048
    users, files, _ = dialogue.table.statistics()
    assert users == len(list(dialogue.table.users()))
    assert files == sum(len(user.files) for user in dialogue.table.users())
