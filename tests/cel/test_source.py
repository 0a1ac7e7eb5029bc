"""The text of an expression before an engine sees it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.cel.faults import Code, CompileError
from authz.cel.source import MAX_LENGTH, read, token_length, tokens_of


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("now() > t", "now   > t"),
        ("now ( ) > t", "now     > t"),
        ("'now()' + now()", "'now()' + now  "),
        ("r'\\' + now()", "r'\\' + now  "),
        ("'\\'now()' + now()", "'\\'now()' + now  "),
        ('"""a"now()""" + now()', '"""a"now()""" + now  '),
        ("b'now()' + now()", "b'now()' + now  "),
        ("// now()\nnow()", "// now()\nnow  "),
        ("x.now()", "x.now()"),
        ("now(1)", "now(1)"),
        ("nowhere()", "nowhere()"),
        ("[1].all(now, now > 0)", "[1].all(now, now > 0)"),
    ],
)
def test_a_call_of_now_becomes_a_name(written: str, text: str) -> None:
    """`now()` is blanked to `now`; texts, comments and other names are left alone, and all keeps its place."""
    assert read(written).text == text


def test_where_now_was_called_is_known() -> None:
    """The offsets of calls tell them from a bare name."""
    assert read("now() == now || now() == t").now == {0, 16}


def test_what_has_asks_for_is_known() -> None:
    """A dotted name alone in `has(...)` is noted with its place; anything longer is the engine's business."""
    assert read("has(a.b.c) && has( d ) && has(e[0].f)").presence == (("a.b.c", 4), ("d", 19))


def test_a_long_expression_is_refused_unread() -> None:
    """The text of an expression is bounded."""
    read("1" * MAX_LENGTH)
    with pytest.raises(CompileError) as caught:
        read("1" * (MAX_LENGTH + 1))
    assert caught.value.faults[0].code is Code.SIZE


def test_a_token_knows_its_length() -> None:
    """A caret can underline what stands at an offset."""
    assert token_length('x == "a b"', 5) == 5
    assert token_length("request", 0) == 7
    assert token_length("x", 9) == 1


@given(st.text())
def test_reading_keeps_the_length_of_any_text(written: str) -> None:
    """Whatever is written, places in what the engine gets are places in what was written."""
    assert len(read(written).text) == len(written)


@given(st.text(alphabet="now(). '\"\\rb/\n"))
def test_tokens_are_the_text_in_order(written: str) -> None:
    """Every token stands where it says, and tokens do not overlap."""
    end = 0
    for token in tokens_of(written):
        assert token.start >= end
        assert written.startswith(token.text, token.start)
        end = token.start + len(token.text)
