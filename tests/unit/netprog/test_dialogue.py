"""What the directory answers, without a network: messages in, messages out."""

from __future__ import annotations

import pytest
from conversation import Answer, answer
from dialogue import Dialogue
from hypothesis import given
from hypothesis import strategies as st
from messages import File
from napster import Decoder, Kind, Message
from query import Search
from table import MOST_FILES_A_USER, Table, TableFull, User, present
from transfers_dialogue import PATIENCE

LOGIN = '{} pw 6699 "c" 3'
MD5 = "0123456789abcdef0123456789abcdef"


def heard(answers: list[Answer]) -> list[tuple[int, Message | None]]:
    """Whom each answer goes to, and its messages one by one; None ends a connection."""
    found: list[tuple[int, Message | None]] = []
    for to, frames in answers:
        if frames is None:
            found.append((to, None))
            continue
        decoder = Decoder()
        decoder.feed(frames)
        while (message := decoder.next()) is not None:
            found.append((to, message))
        assert decoder.pending == 0
    return found


def dialogue_of(*nicks: str) -> Dialogue:
    """A dialogue in which visitor 0, 1, ... have logged in under the nicks."""
    dialogue = Dialogue()
    for visitor, nick in enumerate(nicks):
        dialogue.arrive(visitor, f"10.0.0.{visitor + 1}")
        answers = heard(dialogue.receive(visitor, Message(Kind.LOGIN, LOGIN.format(nick)), 0))
        assert [message.kind for _, message in answers if message] == [3, 621, 214]
    return dialogue


def share(dialogue: Dialogue, visitor: int, name: str, now: float = 0) -> None:
    message = Message(Kind.SHARE, f'"{name}" {MD5} 7 0 0 0')
    assert dialogue.receive(visitor, message, now) == []


def test_the_four_steps() -> None:
    dialogue = dialogue_of("a", "x")
    share(dialogue, 0, "song one.mp3")
    search = Message(Kind.SEARCH, 'FILENAME CONTAINS "SONG" MAX_RESULTS 5')
    assert heard(dialogue.receive(1, search, 0)) == [
        (1, Message(201, f'"song one.mp3" {MD5} 7 0 0 0 a 16777226 3')),
        (1, Message(202, "")),
    ]
    assert dialogue.receive(1, Message(Kind.DOWNLOAD, 'a "song one.mp3"'), 0) == [
        answer(0, 607, 'x "song one.mp3"')
    ]
    assert dialogue.receive(0, Message(Kind.ACCEPTED, 'x "song one.mp3"'), 1) == [
        answer(1, 204, f'a 16777226 6699 "song one.mp3" {MD5} 3')
    ]


def test_ones_own_files_are_left_out() -> None:
    dialogue = dialogue_of("a")
    share(dialogue, 0, "s")
    answers = dialogue.receive(0, Message(Kind.SEARCH, 'FILENAME CONTAINS "s"'), 0)
    assert heard(answers) == [(0, Message(202))]


@pytest.mark.parametrize("kind", [Kind.DOWNLOAD, Kind.PUSH])
@pytest.mark.parametrize("wish", ['nobody "s"', 'a "other"', 'x "s"'])
def test_what_is_not_to_be_had(wish: str, kind: Kind) -> None:
    dialogue = dialogue_of("a", "x")
    share(dialogue, 0, "s")
    assert dialogue.receive(1, Message(kind, wish), 0) == [answer(1, 206, wish)]


def test_a_holder_behind_nat_is_told_to_push() -> None:
    dialogue = dialogue_of("closed", "x")
    share(dialogue, 0, "s")
    dialogue.receive(0, Message(Kind.DATA_PORT, "0"), 0)
    wish = Message(Kind.DOWNLOAD, 'closed "s"')
    assert dialogue.receive(1, wish, 0) == [answer(0, 607, 'x "s"')]
    where = f'closed 16777226 0 "s" {MD5} 3'
    assert dialogue.receive(0, Message(608, 'x "s"'), 0) == [answer(1, 204, where)]
    pushed = f'x 33554442 6699 "s" {MD5} 3'
    assert dialogue.receive(1, Message(500, 'closed "s"'), 0) == [answer(0, 501, pushed)]


@pytest.mark.parametrize("kind", [Kind.DOWNLOAD, Kind.PUSH])
def test_two_behind_nat_cannot_have_each_others_files(kind: Kind) -> None:
    dialogue = dialogue_of("closed", "shut")
    share(dialogue, 0, "s")
    for visitor in (0, 1):
        dialogue.receive(visitor, Message(Kind.DATA_PORT, "0"), 0)
    assert dialogue.receive(1, Message(kind, 'closed "s"'), 0) == [answer(1, 206, 'closed "s"')]


def test_the_files_of_a_folder_are_shared_at_once() -> None:
    dialogue = dialogue_of("a", "x")
    files = f'"C:\\music" "one.mp3" {MD5} 1 128 44100 60 "two.mp3" {MD5} 2 128 44100 60'
    assert dialogue.receive(0, Message(870, files), 0) == []
    assert heard(dialogue.receive(1, Message(211, "a"), 0)) == [
        (1, Message(212, f'a "C:\\music\\one.mp3" {MD5} 1 128 44100 60')),
        (1, Message(212, f'a "C:\\music\\two.mp3" {MD5} 2 128 44100 60')),
        (1, Message(213, "a")),
    ]
    for wrong in ('"f"', '"f" "s" x 1', ""):
        ((_, message),) = heard(dialogue.receive(0, Message(870, wrong), 0))
        assert message is not None
        assert message.kind == 404


def test_who_has_a_file_with_this_checksum_and_size() -> None:
    dialogue = dialogue_of("a", "x")
    share(dialogue, 0, "one name")
    share(dialogue, 1, "another name")
    assert heard(dialogue.receive(1, Message(215, f"{MD5} 7"), 0)) == [
        (1, Message(216, f'a 16777226 6699 "one name" {MD5} 7 3')),
        (1, Message(217)),
    ]
    assert heard(dialogue.receive(1, Message(215, f"{MD5} 8"), 0)) == [(1, Message(217))]


def test_who_is_somebody_and_who_was() -> None:
    dialogue = Dialogue(epoch=1000)
    for visitor, nick in enumerate(("a", "x")):
        dialogue.arrive(visitor, "10.0.0.1")
        dialogue.receive(visitor, Message(Kind.LOGIN, LOGIN.format(nick)), 5)
    share(dialogue, 0, "s")
    for kind in (218, 220, 220, 221, 219, 219):
        assert dialogue.receive(0, Message(kind), 6) == []
    whois = Message(603, "A")
    assert dialogue.receive(1, whois, 12) == [answer(1, 604, 'a "User" 7 "" "Active" 1 0 1 3 "c"')]
    assert dialogue.receive(1, Message(600, "a"), 12) == [answer(1, 601, "a 3")]
    dialogue.leave(0, 20)
    assert dialogue.receive(1, whois, 30) == [answer(1, 605, 'A "User" 1020')]
    ((_, message),) = heard(dialogue.receive(1, Message(603, "nobody"), 30))
    assert message == Message(404, "603: nobody is not here")


def test_a_ping_and_its_pong_are_passed_on() -> None:
    dialogue = dialogue_of("a", "x")
    assert dialogue.receive(1, Message(751, "a"), 0) == [answer(0, 751, "x")]
    assert dialogue.receive(0, Message(752, "x"), 0) == [answer(1, 752, "a")]
    ((_, message),) = heard(dialogue.receive(0, Message(751, "nobody"), 0))
    assert message == Message(404, "751: nobody is not here")


def test_the_message_of_the_day_again() -> None:
    assert dialogue_of("a").receive(0, Message(621), 0) == [
        answer(0, 621, "Welcome to the directory.")
    ]


@pytest.mark.parametrize("end", ["silent", "gone", "unshared"])
def test_a_holder_that_does_not_accept(end: str) -> None:
    dialogue = dialogue_of("a", "x")
    share(dialogue, 0, "s")
    dialogue.receive(1, Message(Kind.DOWNLOAD, 'a "s"'), 0)
    assert dialogue.tick(PATIENCE - 1) == []
    if end == "silent":
        answers = dialogue.tick(PATIENCE)
    elif end == "gone":
        answers = dialogue.leave(0, 0)
    else:
        answers = dialogue.receive(0, Message(Kind.UNSHARE, "s"), 1)
    assert answers == [answer(1, 206, 'a "s"')]
    assert not dialogue.waiting


def test_who_asked_and_left_is_forgotten() -> None:
    dialogue = dialogue_of("a", "x")
    share(dialogue, 0, "s")
    dialogue.receive(1, Message(Kind.DOWNLOAD, 'a "s"'), 0)
    assert dialogue.leave(1, 0) == []
    ((_, message),) = heard(dialogue.receive(0, Message(Kind.ACCEPTED, 'x "s"'), 1))
    assert message is not None
    assert message.kind == 404


def test_an_acceptance_nobody_asked_for_sends_nothing_to_others() -> None:
    dialogue = dialogue_of("a", "x")
    share(dialogue, 0, "s")
    assert [a.to for a in dialogue.receive(0, Message(Kind.ACCEPTED, 'x "s"'), 0)] == [0]


@pytest.mark.parametrize("nick", ["a", "A"])
def test_a_nick_in_use_is_refused(nick: str) -> None:
    dialogue = dialogue_of("a")
    dialogue.arrive(9, "10.0.0.9")
    refusal, end = dialogue.receive(9, Message(Kind.LOGIN, LOGIN.format(nick)), 0)
    assert refusal == answer(9, 0, f"{nick} is logged in already")
    assert end == Answer(9, None)
    assert dialogue.leave(9, 0) == []
    assert dialogue.table.user("a") is not None


@pytest.mark.parametrize(
    ("nick", "kind"), [("a", 9), ("A", 9), ("b", 8), ("b c", 10), ('"', 10), ("", 10)]
)
def test_is_this_nick_free(nick: str, kind: int) -> None:
    dialogue = dialogue_of("a")
    dialogue.arrive(9, "10.0.0.9")
    assert dialogue.receive(9, Message(7, nick), 0) == [answer(9, kind)]


@pytest.mark.parametrize("data", ["", "a b", 'a b x "c" 1', 'a b 70000 "c" 1', 'a" b 1 "c" 1'])
def test_a_bad_login_is_refused(data: str) -> None:
    dialogue = Dialogue()
    dialogue.arrive(0, "10.0.0.1")
    answers = dialogue.receive(0, Message(Kind.LOGIN, data), 0)
    assert [message and message.kind for _, message in heard(answers)] == [0, None]


def test_before_login_nothing_else_is_done() -> None:
    dialogue = Dialogue()
    dialogue.arrive(0, "10.0.0.1")
    answers = dialogue.receive(0, Message(Kind.SHARE, f'"s" {MD5} 1 0 0 0'), 0)
    assert answers == [answer(0, 0, "log in first"), Answer(0, None)]


def test_an_unknown_or_malformed_message_gets_404_and_changes_nothing() -> None:
    dialogue = dialogue_of("a")
    for message in (Message(999), Message(Kind.SHARE, '"s" x'), Message(Kind.SEARCH, "y" * 3000)):
        ((to, said),) = heard(dialogue.receive(0, message, 0))
        assert to == 0
        assert said is not None
        assert said.kind == 404
        assert said.data.startswith(f"{message.kind}: ")
    assert dialogue.table.statistics() == (1, 0, 0)


def test_statistics_count_whole_gigabytes() -> None:
    dialogue = dialogue_of("a", "b")
    for size in (10**9, 2 * 10**9 - 1):
        dialogue.receive(0, Message(Kind.SHARE, f'"s" {MD5} {size} 0 0 0'), 0)
    assert dialogue.receive(1, Message(214), 0) == [answer(1, 214, "2 1 1")]
    dialogue.leave(0, 0)
    assert dialogue.receive(1, Message(214), 0) == [answer(1, 214, "1 0 0")]


def rows(table: Table) -> list[tuple[File, list[User]]]:
    return [(item.file, list(present(item))) for item in table.rows()]


def test_the_table_follows_joins_and_leaves() -> None:
    table = Table()
    users = [User("a", "10.0.0.1", 1, 0), User("b", "10.0.0.2", 2, 0)]
    song, other = File("song", MD5, 5), File("song", MD5, 6)
    for user in users:
        assert table.join(user)
        table.share(user, song)
    assert rows(table) == [(song, users)]
    table.share(users[1], other)
    assert rows(table) == [(song, users[:1]), (other, users[1:])]
    table.leave("A")
    assert rows(table) == [(other, users[1:])]
    assert table.unshare(users[1], "song")
    assert not table.unshare(users[1], "song")
    assert rows(table) == []


def test_files_of_one_who_left_are_found_no_more_and_taken_out_little_by_little() -> None:
    table = Table()
    goes, stays = User("a", "10.0.0.1", 1, 0), User("b", "10.0.0.2", 2, 0)
    for user in (goes, stays):
        table.join(user)
        table.share(user, File("both have it", MD5, 5))
    for index in range(3):
        table.share(goes, File(f"it {index}", MD5, 5))
    table.leave("a")
    assert table.untidy
    assert table.statistics() == (1, 1, 0)
    for most in (1, 2, 100):
        assert [user for _, user in table.search(Search(("it",)), None)] == [stays]
        assert [user for _, user in table.same(MD5, 5, 100)] == [stays]
        assert rows(table) == [(File("both have it", MD5, 5), [stays])]
        assert table.untidy
        table.tidy(most)
    table.tidy(1)
    assert not table.untidy
    assert not goes.items


def test_however_many_come_and_leave_no_more_files_pile_up_than_are_shared() -> None:
    table = Table()
    users = [User(str(index), "10.0.0.1", 1, 0) for index in range(50)]
    for user in users:
        table.join(user)
        for name in "xyz":
            table.share(user, File(f"{user.nick} {name}", MD5, 1))
        table.leave(user.nick)
        assert sum(len(one.items) for one in users) <= 6


def test_the_table_bounds_what_one_user_may_share() -> None:
    table = Table()
    user = User("a", "10.0.0.1", 1, 0)
    table.join(user)
    for index in range(MOST_FILES_A_USER):
        table.share(user, File(str(index), MD5, 1))
    with pytest.raises(TableFull):
        table.share(user, File("one more", MD5, 1))
    table.share(user, File("7", MD5, 2))


def test_a_search_gives_exact_names_first_and_no_more_than_asked() -> None:
    table = Table()
    user = User("a", "10.0.0.1", 1, 0)
    table.join(user)
    for index in range(200):
        table.share(user, File(f"s {index}", MD5, 1))
    table.share(user, File("S", MD5, 1))
    names = [file.name for file, _ in table.search(Search(("s",)), None)]
    assert (names[0], len(names)) == ("S", 100)
    assert len(table.search(Search(("s",), 3), None)) == 3
    assert table.search(Search(("s",), 0), None) == []


def test_a_file_that_many_have_is_asked_of_one_after_the_other() -> None:
    table = Table()
    for nick in "abc":
        user = User(nick, "10.0.0.1", 1, 0)
        table.join(user)
        table.share(user, File("s", MD5, 1))
    first = [table.search(Search(("s",), 1), None)[0][1].nick for _ in range(6)]
    assert sorted(first) == ["a", "a", "b", "b", "c", "c"]


WORDS = st.sampled_from(["red", "blue", "Love", "live", "mp3", "ä"])
FILE_NAMES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["share", "share", "unshare", "leave", "tidy"]),
        st.sampled_from("ab"),
        FILE_NAMES,
        st.integers(1, 2),
    ),
    max_size=60,
)


@given(CHANGES, st.lists(WORDS, max_size=3))
def test_a_search_finds_what_looking_at_every_file_finds(
    changes: list[tuple[str, str, str, int]], words: list[str]
) -> None:
    table = Table()
    users = {nick: User(nick, "10.0.0.1", 1, 0) for nick in "ab"}
    for user in users.values():
        table.join(user)
    for change, nick, name, size in changes:
        if change == "share":
            table.share(users[nick], File(name, MD5, size))
        elif change == "unshare":
            table.unshare(users[nick], name)
        elif change == "leave":
            table.leave(nick)
            users[nick] = User(nick, "10.0.0.1", 1, 0)
            table.join(users[nick])
        else:
            table.tidy(size)
    wanted = {word.lower() for word in words}
    expected = {
        (name, user.nick)
        for user in users.values()
        for name in user.items
        if wanted <= set(name.lower().split())
    }
    found = table.search(Search(tuple(word.lower() for word in words)), None)
    assert {(file.name, user.nick) for file, user in found} == expected
    assert len(found) == len(expected)
    kept = {(n, u.nick) for u in users.values() for n, i in u.items.items() if i.file.size == 1}
    assert {(f.name, u.nick) for f, u in table.same(MD5, 1, 100)} == kept
    assert table.statistics()[1] == sum(len(user.items) for user in users.values())
    everything = {(name, user.nick) for user in users.values() for name in user.items}
    assert {(f.name, u.nick) for f, holders in rows(table) for u in holders} == everything


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
            answers += dialogue.leave(visitor, now)
        for to, message in heard(answers + dialogue.tick(now)):
            assert to in here | {visitor}
            if message is not None:
                assert len(message.data.encode("utf-8", "surrogateescape")) <= 2048
    users, files, _ = dialogue.table.statistics()
    assert users == len(list(dialogue.table.users()))
    assert files == sum(len(user.items) for user in dialogue.table.users())
