"""Looking into parse trees."""

from __future__ import annotations

from authz.cel.python.grammar import parse
from authz.cel.python.parses import LEAVES, name_start, operands, path_of, start, trees


def test_a_dotted_name_is_known_as_one() -> None:
    """Names with dots have a path; calls, indexes and parentheses have none."""
    assert path_of(parse("a.b.c")) == ("a", "b", "c")
    assert path_of(parse("a")) == ("a",)
    for text in ("a.b()", "a[0].b", "(a).b", "'a'", "a + b"):
        assert path_of(parse(text)) is None


def test_operands_and_places() -> None:
    """Arguments are found whatever their number, names where they stand."""
    call = next(parse(" x.f(1, a)").find_data("member_dot_arg"))
    assert [path_of(operand) for operand in operands(call)] == [None, ("a",)]
    assert (start(call), name_start(call)) == (1, 3)
    bare = next(parse("x.f()").find_data("member_dot_arg"))
    assert operands(bare) == []
    assert len(trees(bare)) == 1
    assert "literal" in LEAVES
