"""The wire format of Napster: round trips, and input that follows no rule."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messages import (
    File,
    GoAhead,
    Holder,
    Login,
    Result,
    Wish,
    checksum_and_size,
    folder_of_files,
    nick_alone,
    unshared_name,
)
from napster import (
    Decoder,
    Kind,
    Malformed,
    Message,
    encode,
    fields,
    ip_number,
    ip_text,
    number,
    quoted,
    size,
)
from query import Search, search_data
from table import Table, User

NICKS = st.from_regex(r"[A-Za-z0-9_\[\]{}\-@^!$.]{1,64}", fullmatch=True)
NAMES = (
    st.binary(min_size=1, max_size=255)
    .filter(lambda raw: b'"' not in raw)
    .map(lambda raw: raw.decode("utf-8", "surrogateescape"))
)
NUMBERS = st.integers(0, 2**63 - 1)
LINKS = st.integers(0, 10)
PORTS = st.integers(0, 65535)
IPS = st.ip_addresses(v=4).map(str)
CHECKSUMS = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
FILES = st.builds(File, NAMES, CHECKSUMS, NUMBERS, NUMBERS, NUMBERS, NUMBERS)


def test_a_login_as_the_specification_shows_it() -> None:
    frame = encode(Message(Kind.LOGIN, 'foo badpass 6699 "nap v0.8" 3'))
    assert frame == b'\x1d\x00\x02\x00foo badpass 6699 "nap v0.8" 3'
    assert Login.parse('foo badpass 6699 "nap v0.8" 3 3355') == Login(
        "foo", "badpass", 6699, "nap v0.8", 3
    )


def test_a_result_as_the_specification_shows_it() -> None:
    data = (
        '"random band - random song.mp3" 7d733c1e7419674744768db71bff8bcd'
        " 2558199 128 44100 159 lefty 3437166285 4"
    )
    result = Result.parse(data)
    assert result.file.size == 2558199
    assert (result.nick, result.ip, result.link) == ("lefty", "205.254.222.204", 4)
    assert result.data() == data
    assert Result.parse(data + " 17") == result


def test_an_address_is_a_little_endian_number() -> None:
    assert ip_number("10.0.0.1") == 16777226
    assert ip_text(16777226) == "10.0.0.1"
    with pytest.raises(Malformed):
        ip_text(2**32)


@given(IPS)
def test_addresses_come_back(ip: str) -> None:
    assert ip_text(ip_number(ip)) == ip


@given(st.builds(Login, NICKS, st.just("pw"), PORTS, NAMES, LINKS))
def test_logins_come_back(login: Login) -> None:
    assert Login.parse(login.data()) == login


@given(st.builds(Result, FILES, NICKS, IPS, LINKS))
def test_files_and_results_come_back(result: Result) -> None:
    assert File.parse(result.file.data()) == result.file
    assert Result.parse(result.data()) == result
    assert size(result.data()) <= 2048


@given(st.builds(GoAhead, NICKS, IPS, PORTS, NAMES, CHECKSUMS, LINKS))
def test_go_aheads_come_back(where: GoAhead) -> None:
    assert GoAhead.parse(where.data()) == where


@given(st.builds(Holder, NICKS, IPS, PORTS, st.builds(File, NAMES, CHECKSUMS, NUMBERS), LINKS))
def test_holders_come_back(holder: Holder) -> None:
    assert Holder.parse(holder.data()) == holder


@given(NAMES, st.lists(FILES, min_size=1, max_size=5))
def test_folders_of_files_come_back(folder: str, files: list[File]) -> None:
    folder = folder.rstrip("\\/") + "\\"
    data = " ".join([quoted(folder), *(file.data() for file in files)])
    for found, file in zip(folder_of_files(data), files, strict=True):
        assert found.name == folder + file.name
        assert (found.md5, found.size, found.seconds) == (file.md5, file.size, file.seconds)


@given(CHECKSUMS, NUMBERS, NICKS)
def test_short_data_comes_back(md5: str, bytes_: int, nick: str) -> None:
    assert checksum_and_size(f"{md5} {bytes_}") == (md5, bytes_)
    assert nick_alone(nick) == nick


@given(st.builds(Wish, NICKS, NAMES))
def test_wishes_come_back(wish: Wish) -> None:
    assert Wish.parse(wish.data()) == wish


@given(NAMES)
def test_an_unshared_name_comes_bare_or_quoted(name: str) -> None:
    assert unshared_name(name) == unshared_name(quoted(name)) == name


MESSAGES = st.lists(
    st.builds(
        Message,
        st.integers(0, 65535),
        st.binary(max_size=100).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
    )
)


@given(MESSAGES, st.data())
def test_frames_come_back_however_the_stream_is_cut(
    messages: list[Message], data: st.DataObject
) -> None:
    stream = b"".join(map(encode, messages))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    decoder = Decoder()
    found = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        decoder.feed(stream[begin:end])
        while (message := decoder.next()) is not None:
            found.append(message)
    assert found == messages
    assert decoder.pending == 0


@pytest.mark.parametrize("data", ['"open', 'a"b', '"a"b', 'a "b" "', '"a""b"'])
def test_stray_quotes_are_malformed(data: str) -> None:
    with pytest.raises(Malformed):
        fields(data)


def test_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(Malformed):
        quoted('a"b')
    with pytest.raises(Malformed):
        encode(Message(200, "x" * 2049))
    for text in ("", "-1", "1.0", "٣", "9" * 20, "65536"):
        with pytest.raises(Malformed):
            number(text, 65535)


PARSERS: list[Callable[[str], object]] = [
    *(Login.parse, File.parse, Result.parse, GoAhead.parse, Wish.parse, Search.parse, fields),
    *(Holder.parse, folder_of_files, checksum_and_size, nick_alone),
]
TEXTS = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(
            [
                *("FILENAME", "CONTAINS", '"a b"', "MAX_RESULTS", "5", "BITRATE", '"AT LEAST"'),
                *('""', "-1", "nick", '"', " ", "LINESPEED", "99999999999999999999", "\0"),
            ]
        )
    ).map(" ".join),
)


@pytest.mark.parametrize("parse", PARSERS)
@given(text=TEXTS)
def test_anything_is_parsed_or_malformed(parse: Callable[[str], object], text: str) -> None:
    try:
        parse(text)
    except Malformed as error:
        assert size(str(error)) < 1000


def test_a_search_in_the_order_of_the_windows_client() -> None:
    search = Search.parse(
        'FILENAME CONTAINS "Sneaker Pimps" MAX_RESULTS 75 FILENAME CONTAINS "tesko"'
        ' BITRATE "AT LEAST" "128" LINESPEED "EQUAL TO" 10'
    )
    assert (search.words, search.most) == (("sneaker", "pimps", "tesko"), 75)
    for bitrate, link, wanted in [(128, 10, True), (127, 10, False), (128, 9, False)]:
        assert search.admits(File("s", "0", 1, bitrate), link) is wanted


@given(NAMES)
def test_a_name_finds_itself(name: str) -> None:
    table, user = Table(), User("a", "10.0.0.1", 1, 0)
    table.join(user)
    table.share(user, File(name, "0", 1))
    search = Search.parse(search_data(name))
    assert table.search(search, None) == [(File(name, "0", 1), user)]
    assert search.most == 100
