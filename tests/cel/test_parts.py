"""Which stretch of the text each part of an expression is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.cel import CompileError
from authz.cel.parts import Part
from tests.cel.test_truth_table import PARTS, Nothing

if TYPE_CHECKING:
    from authz.cel import Environment

WRITTEN = {
    '(s == "a" || i > -1) && !(s in l)': ['s == "a" || i > -1', 's == "a"', "i > -1", "!(s in l)", "s in l"],
    's.contains(m["k"]) ? size(s) : -i': ['s.contains(m["k"])', 'm["k"]', "size(s)", "-i"],
    'l.exists(x, x == s && x != "")': ['x == s && x != ""', "x == s", 'x != ""'],
    "l.map(x, x + s).size() > i": ["l.map(x, x + s).size()", "l.map(x, x + s)", "x + s"],
    'cel.bind(q, s + "b", q == "a")': ['s + "b"', 'q == "a"'],
    'm.?a.optMap(v, v + "x").orValue("") == s': [
        'm.?a.optMap(v, v + "x").orValue("")', 'm.?a.optMap(v, v + "x")', "m.?a", 'v + "x"',
    ],
    '{"a": [1, i]}["a"][(0)] == ((i)) * 2': [
        '{"a": [1, i]}["a"][(0)]', '{"a": [1, i]}["a"]', '{"a": [1, i]}', "[1, i]", "((i)) * 2",
    ],
    "has((d.a).b) || request.method == s": ["has((d.a).b)", "d.a", "request.method == s"],
    "math.greatest(1, (i + 2) * 3) > 2": ["math.greatest(1, (i + 2) * 3)", "(i + 2) * 3", "i + 2"],
    's == "é😀" // a comment\n && now() > t': ['s == "é😀"', "now() > t"],
    "s in data.users && data.plans[s] == s": ["s in data.users", "data.plans[s] == s", "data.plans[s]"],
}  # fmt: skip

TABLE = sorted({row.source for rows in PARTS.values() for row in rows if row.expected is not Nothing.FAULT})


@pytest.mark.parametrize("source", WRITTEN)
def test_a_part_is_the_text_its_author_sees(environment: Environment, source: str) -> None:
    """Brackets around operands count, a macro's own machinery does not, and both engines' places give the same."""
    whole = environment.compile(source).tracer().whole
    assert whole.text == source
    assert [part.text for part in whole.walk() if part.operator][1:] == WRITTEN[source]


@pytest.mark.parametrize("source", TABLE)
def test_every_part_lies_within_the_one_it_is_a_part_of(environment: Environment, source: str) -> None:
    """Whatever is written, stretches nest, are not empty, and are the text between their ends."""
    try:
        whole = environment.compile(source).tracer().whole
    except CompileError:
        return
    for part in whole.walk():
        assert part.text == source[part.start : part.end] != ""
        assert all(part.start <= below.start and below.end <= part.end for below in part.parts)


def test_an_operator_reads_as_it_is_written(environment: Environment) -> None:
    """`&&`, `?:` and macros are called what their author calls them; a literal is marked."""
    whole = environment.compile('i > 1 ? l.all(x, x in ["a"]) : has(d.a)').tracer().whole
    operators = [part.operator for part in whole.walk() if part.operator]
    assert operators == ["?:", ">", "all", "in", "[...]", "has"]
    assert [part.text for part in whole.walk() if part.literal] == ["1", '"a"']
    assert isinstance(whole, Part)
