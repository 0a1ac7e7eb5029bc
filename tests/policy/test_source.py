"""Tests of places: where in a file a text, and a place inside a text, are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.errors import Fault
from authz.policy.source import Mapping, Scalar, Source, quoted
from authz.policy.yaml import compose


def scalar(text: str) -> Scalar:
    """Return the value of the only key of a document."""
    composed = compose("p.yaml", text.encode())
    assert not composed.faults, composed.faults
    root = composed.documents[0]
    assert isinstance(root, Mapping)
    value = next(iter(root.values()))
    assert isinstance(value, Scalar)
    return value


def pointed(fault: Fault) -> str:
    """Return what the caret of a fault underlines."""
    return fault.text[fault.column - 1 : fault.column - 1 + fault.length]


def at(value: Scalar, word: str) -> Fault:
    """Return a fault at a word of a value, as a compiler makes it from line and column."""
    before = value[: value.index(word)]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return value.fault("AZ999", "x", line=line, column=column, length=len(word))


@pytest.mark.parametrize(
    "text",
    [
        "a: one && reqest.path",
        "ä: \"'x' && reqest.path\"",
        "a: 'it''s ''quoted'' && reqest.path'",
        r'a: "tab\t \x41 \u00e9 \U0001f600 \"q\" && reqest.path"',
        "a: 😀😀 && reqest.path",
        "a: |\n  one &&\n  reqest.path\n",
        "a: |-   # why\n\n    one &&\n\n      reqest.path &&\n    three",
        "a:\n  'reqest.path'",
        "a: |2\n    one &&\n    reqest.path\n",
        "a: |\r\n  one &&\r\n  reqest.path\r\n",
        "{a: one && reqest.path}",
        "a:\n    reqest.path",
        "a: >\n  one &&\n  reqest.path",
        "a: >-   # why\r\n  one &&\r\n\r\n    more &&\r\n  reqest.path\r\n",
        "a: one &&\n  reqest.path",
        'a: "one\n  reqest.path"',
        'a: "\\"x\\" == \\\n  \\x61 &&\\n \\ reqest.path"',
        "a: 'it''s\n\n  ''here'' reqest.path'",
    ],
)
def test_a_place_inside_a_value_is_found_in_the_file(text: str) -> None:
    """A fault inside an expression underlines the very characters, however the expression is written."""
    fault = at(scalar(text), "reqest.path")

    assert pointed(fault) == "reqest.path"
    assert fault.text == text.replace("\r", "").split("\n")[fault.line - 1]


@given(st.lists(st.text("ab\"'&é", min_size=1), min_size=2, max_size=8), st.sampled_from([">", '"', "'"]), st.data())
def test_every_word_of_a_folded_value_is_found(words: list[str], style: str, data: st.DataObject) -> None:
    """Law: however lines are broken and indented, the place of every word is where it is written."""
    escaped = {">": str, '"': lambda word: word.replace('"', '\\"'), "'": lambda word: word.replace("'", "''")}[style]
    text = "a: " + (">\n  " if style == ">" else style)
    places = []
    for word in words:
        places.append(len(text))
        text += escaped(word) + data.draw(st.sampled_from([" ", "  ", "\n  ", "\n\n  "]))
    value = scalar(text.rstrip() + ("" if style == ">" else style))

    start = 0
    for word, place in zip(words, places, strict=True):
        start = value.index(word, start)
        before = value[:start]
        fault = value.fault(
            "AZ999", "x", line=before.count("\n") + 1, column=start - before.rfind("\n"), length=len(word)
        )
        assert value.source.place(place) == (fault.line, fault.column)
        start += len(word)


@pytest.mark.parametrize("text", ["a: >\n  one &&\n", "a: one\n  &&\n", 'a: "one\n  &&"'])
def test_a_place_behind_the_end_is_the_end(text: str) -> None:
    """What an expression lacks at its end is missed there."""
    value = scalar(text)
    fault = value.fault("AZ999", "x", line=1, column=len(value.rstrip()) + 1, length=1)

    assert fault.text[: fault.column - 1].endswith("&&")


def test_a_fault_without_a_place_underlines_the_scalar() -> None:
    """Without line and column the whole scalar is meant, up to the end of its first line."""
    assert pointed(scalar("a: 'b c'  # d").fault("AZ999", "x")) == "'b c'"
    assert pointed(scalar("a: |\n  b\n").fault("AZ999", "x")) == "|"


def test_a_fault_shows_its_line_and_caret() -> None:
    """A fault prints as file:line:column, code, message, hint, source line and caret."""
    fault = at(scalar("a: one && two"), "two")

    assert str(fault) == "p.yaml:1:11: AZ999 x\n    a: one && two\n              ^^^"


def test_a_line_no_person_wrote_is_not_shown() -> None:
    """A fault in a line of thousands of characters has a place and no source line."""
    fault = scalar("a: " + "b" * 5000).fault("AZ999", "x")

    assert (fault.line, fault.column, fault.text) == (1, 4, "")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=30), st.booleans())
def test_every_character_of_a_quoted_value_is_found(text: str, single: bool) -> None:
    """Law: for every character of a quoted value, its place in the file holds that character, written or escaped."""
    written = text.replace("'", "''") if single else text.replace("\\", "\\\\").replace('"', '\\"')
    mark = "'" if single else '"'
    source = Source("p.yaml", f"{mark}{written}{mark}")
    value = Scalar.at(text, source, 0, len(source.text))

    for number, character in enumerate(text, 1):
        fault = value.fault("AZ999", "x", column=number, length=1)
        assert source.text[fault.column - 1] in {character, "\\"}


def test_what_a_message_shows_of_a_text_is_one_short_line() -> None:
    """A text in a message is escaped and cut, whatever it holds."""
    assert quoted('a"\n\x1b') == '"a\\"\\n\\x1b"'
    assert len(quoted("x" * 1000)) == 62


def test_a_key_knows_its_place() -> None:
    """The keys of a mapping are found as they are written."""
    root = compose("p.yaml", b"a: 1\nb: 2\n").documents[0]
    assert isinstance(root, Mapping)

    assert root.source.place(root.key("b").start) == (2, 1)
    assert [str(key) for key in root.written()] == ["a", "b"]
