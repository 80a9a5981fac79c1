"""The text of an element: what it is read as, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.sequence.pattern.errors import PatternError
from labctl.sequence.pattern.grammar import MAX_DEPTH, MAX_TEXT, read
from labctl.sequence.pattern.syntax import Atom, Choice, Node, Repeat, Row, atoms, text

A, B, C = Atom("recv"), Atom("send"), Atom("close")

FORMS: list[tuple[str, Node]] = [
    ("recv", A),
    ("  recv  ", A),
    ("recv=0", Atom("recv", 0)),
    ("recv=-1", Atom("recv", -1)),
    ("connect=ECONNREFUSED", Atom("connect", "ECONNREFUSED")),
    ("close=shared", Atom("close", "shared")),
    ("client>SYN-ACK", Atom("SYN-ACK", None, "client")),
    ("peer-1>FIN", Atom("FIN", None, "peer-1")),
    ("recv+", Repeat(A, 1, None)),
    ("recv*", Repeat(A, 0, None)),
    ("recv?", Repeat(A, 0, 1)),
    ("recv{3}", Repeat(A, 3, 3)),
    ("recv{ 2 , }", Repeat(A, 2, None)),
    ("recv{0,4}", Repeat(A, 0, 4)),
    ("recv send", Row((A, B))),
    ("recv|send", Choice((A, B))),
    ("recv send|close", Choice((Row((A, B)), C))),
    ("recv (send|close)", Row((A, Choice((B, C))))),
    ("(recv send)+", Repeat(Row((A, B)), 1, None)),
    ("((recv))", A),
    ("(recv+)?", Repeat(Repeat(A, 1, None), 0, 1)),
]


@pytest.mark.parametrize(("written", "tree"), FORMS, ids=[form[0] for form in FORMS])
def test_a_text_and_its_tree(written: str, tree: Node) -> None:
    assert read(written) == tree
    assert read(text(tree)) == tree


REFUSED = [
    ("", "an empty element"),
    ("   ", "an empty element"),
    ("recv)", "a `)` without its `(`"),
    ("(recv", "a `(` without its `)`"),
    ("()", "nothing stands where an element should"),
    ("recv|", "nothing stands where an element should"),
    ("|recv", "nothing stands where an element should"),
    ("+", "`+` stands behind nothing"),
    ("(*)", "`*` stands behind nothing"),
    ("{2}", "`{2}` stands behind nothing"),
    ("recv+?", "`?` repeats what is repeated already"),
    ("recv{2}{3}", "`{3}` repeats what is repeated already"),
    ("recv{3,2}", "`{3,2}`: at least 3 and at most 2 times"),
    ("recv{0}", "`{0}`: at least 0 and at most 0 times"),
    ("recv{1001}", "`{1001}`: more than 1000 times"),
    ("recv{2000,}", "`{2000,}`: more than 1000 times"),
    ("recv{x}", "`{` has no meaning here"),
    ("recv, send", "`,` has no meaning here"),
    ("recv=", "`recv=`: a result is missing"),
    ("récv", "`é` has no meaning here"),
    ("recv;", "`;` has no meaning here"),
    ("(" * (MAX_DEPTH + 1) + "recv" + ")" * (MAX_DEPTH + 1), f"more than {MAX_DEPTH} groups"),
    ("recv " * MAX_TEXT, f"longer than {MAX_TEXT} letters"),
]


@pytest.mark.parametrize(("written", "said"), REFUSED, ids=[case[0][:20] for case in REFUSED])
def test_what_is_refused(written: str, said: str) -> None:
    with pytest.raises(PatternError) as caught:
        read(written)
    assert said in caught.value.message
    assert caught.value.hint
    assert caught.value.path == ()


def test_the_deepest_groups_are_read() -> None:
    assert read("(" * MAX_DEPTH + "recv" + ")" * MAX_DEPTH) == A


def test_atoms_come_from_left_to_right() -> None:
    assert [atom.name for atom in atoms(read("a (b|c+ d)* e"))] == list("abcde")


@given(st.text(alphabet="ab (|)+*?{}1,2=>-.é\n", max_size=30))
def test_any_text_is_read_or_refused(written: str) -> None:
    try:
        tree = read(written)
    except PatternError as error:
        assert error.message and error.path == ()
    else:
        assert text(read(text(tree))) == text(tree)
