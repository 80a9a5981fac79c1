"""YAML text to data with positions, and every way in which it can fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.errors import LabFileError, UsageError
from labctl.lab.nodes import Position
from labctl.lab.source import MAX_BYTES, parse, read

FILE = Path("x.yaml")


def data_of(text: str) -> dict[str, Any]:
    return parse(text, FILE).data


@pytest.mark.parametrize(
    ("text", "place", "words", "hint"),
    [
        ("", (1, 1), "the file is empty", "labctl new"),
        ("# nothing\n", (1, 1), "the file is empty", "labctl new"),
        ("- a\n- b\n", (1, 1), "is a mapping", "labctl new"),
        ("\n  text\n", (2, 3), "is a mapping", "labctl new"),
        ("a:\n\tb: 1\n", (2, 1), "not YAML", "spaces"),
        ("a: b: c\n", (1, 5), "mapping values are not allowed", "quotes"),
        ("a: [1\nb: 2\n", (2, 2), "not YAML", ""),
        ("a: *no\n", (1, 4), "undefined alias", "anchor"),
        ('a: "x\n', (2, 1), "not YAML", "never closed"),
        ("a: 1\n---\nb: 2\n", (2, 1), "another document", "---"),
        ("a: 1\nb: 2\na: 3\n", (3, 1), "key `a` is given twice (first on line 1)", "remove"),
        ("a:\n  b: 1\n  b: 2\n", (3, 3), "key `b` is given twice (first on line 2)", "remove"),
        ("a: 1\n80: x\n", (2, 1), "a key `80` that is not a text", "quotes"),
        ("a: 1\n[x]: 2\n", (2, 1), "a key that is not a text", "quotes"),
        ("a: !!python/object:os.system x\n", (1, 4), "has no meaning here", "remove the tag"),
        ("a: !thing {b: 1}\n", (1, 4), "the tag `!thing`", "remove the tag"),
        ("a: !!int x\n", (1, 4), "`x` is not a valid int", "quotes"),
        ("a: 1\nb: {<<: 3}\n", (2, 9), "merges mappings only", "anchor"),
        ("a: 1\nb: {<<: [3]}\n", (2, 10), "merges mappings only", "anchor"),
        ("a: &x {b: *x}\n", (1, 4), "holds too much", "aliases"),
        ("a: &x\n  <<: *x\n", (1, 4), "holds too much", "aliases"),
        ("a: 1\nb: \x07\n", (2, 4), "does not allow", "remove"),
        ('a: "\\UFFFFFFFF"\n', (1, 7), "out of range", ""),
        (f"a: 0x{'f' * 5000}\n", (1, 4), "is not a valid int", "as a text in quotes"),
        ("[" * 5000, (1, 1), "nested too deeply", ""),
        ("a: " + "{b: " * 80 + "1" + "}" * 80, (1, 260), "holds too much", ""),
    ],
)
def test_wrong_text_has_its_place_and_words(
    text: str, place: tuple[int, int], words: str, hint: str
) -> None:
    with pytest.raises(LabFileError) as caught:
        parse(text, FILE)
    (problem,) = caught.value.problems
    assert words in problem.message
    assert hint in problem.hint
    assert (problem.line, problem.column) == place


def test_billion_laughs_ends() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    with pytest.raises(LabFileError, match="holds too much"):
        parse("\n".join(lines), FILE)


def test_merge_bomb_ends() -> None:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 10)}]}}" for i in range(1, 10)]
    with pytest.raises(LabFileError, match="holds too much"):
        parse("\n".join(lines), FILE)


def test_scalars_are_those_of_yaml_1_2() -> None:
    text = "{a: on, b: yes, c: 22:22, d: 1, e: 0x10, f: 1.5, g: true, h: ~, i: 2020-01-01, j: '1'}"
    assert data_of(text) == {
        "a": "on",
        "b": "yes",
        "c": "22:22",
        "d": 1,
        "e": 16,
        "f": 1.5,
        "g": True,
        "h": None,
        "i": "2020-01-01",
        "j": "1",
    }


def test_merge_keys_own_wins_over_merged_and_first_over_later() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  a: 0\n"
    source = parse(text, FILE)
    assert source.data["z"] == {"a": 0, "b": 1, "c": 2}
    assert source.at_key(("z", "a")) == Position(5, 3)
    assert source.at_key(("z", "b")) == Position(1, 14)


def test_tags_of_compose_are_tolerated() -> None:
    text = "a: !reset null\nb: !override [1]\nc: !reset [x]\nd: !override {e: 1}\nf: !override g\n"
    assert data_of(text) == {"a": None, "b": [1], "c": None, "d": {"e": 1}, "f": "g"}


def test_positions_of_keys_values_and_items() -> None:
    source = parse("a:\n  b: [x, {c: 1}]\n", FILE)
    assert source.at_key(("a", "b")) == Position(2, 3)
    assert source.at(("a", "b", 0)) == Position(2, 7)
    assert source.at(("a", "b", 1, "c")) == Position(2, 14)
    assert source.at(("a", "nothing", "there")) == Position(1, 1)
    assert source.at_key(("a", "b", 1)) == Position(2, 10)


def test_file_that_is_not_utf8(here: Path) -> None:
    path = here / "compose.yaml"
    path.write_bytes("a: 1\nbé: ".encode() + b"\xff")
    with pytest.raises(LabFileError, match=r"^compose\.yaml:2:5: the file is not UTF-8 text$"):
        read(path)


def test_byte_order_mark_is_no_text(here: Path) -> None:
    path = here / "compose.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read(path).data == {"a": 1}


def test_file_that_is_too_large(here: Path) -> None:
    path = here / "compose.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(LabFileError, match="larger than"):
        read(path)


def test_file_that_cannot_be_read(here: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read no\.yaml: No such file"):
        read(here / "no.yaml")
    with pytest.raises(UsageError, match="Is a directory"):
        read(here)


def test_path_elsewhere_is_shown_whole(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text("")
    with pytest.raises(LabFileError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:1:1: ")


WORDS = "a b x-lab << &a *a [ ] { } ' | > ! !!int !reset # % --- ... ? , 0x 1e9 ~ $ %YAML"
YAML_PIECES = st.sampled_from(
    [*WORDS.split(), '"', "\n", "\n  ", ": ", "- ", " ", "\t", "\\U", "\\x"]
)


@given(st.one_of(st.text(), st.lists(YAML_PIECES).map("".join)))
def test_any_text_is_data_or_a_lab_file_error(text: str) -> None:
    try:
        source = parse(text, FILE)
    except LabFileError as error:
        (problem,) = error.problems
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.hint
    else:
        assert all(isinstance(key, str) for key in source.data)


@given(st.binary(max_size=200))
def test_any_bytes_are_data_or_a_lab_file_error(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(raw)
    try:
        assert isinstance(read(path).data, dict)
    except LabFileError as error:
        assert error.problems
