"""Parts that are worked out first change what an expression costs, and nothing of what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.cel import EvaluationError
from authz.cel.cpp.engine import Hoisted
from authz.cel.cpp.hoisting import hoist
from authz.cel.rewrite import rewrite
from authz.cel.tree import walk
from authz.cel.walker.program import Program

if TYPE_CHECKING:
    from authz._pb.cel.expr.checked_pb2 import CheckedExpr
    from authz.cel import CelType, Environment

HOISTED = [
    "s == '10.0.0.1' && s.inCidr('10.0.0.0/8')",
    "s.inCidr('10.0.0.0/8') || m['a'] == 'b'",
    "!s.matches('^a')",
    "m['a'].matches('^b') && !m[?'c'].orValue('x').matches('y')",
    "s == 'a' ? s.matches('b') : m['a'].startsWith('b')",
    "m['lost'].matches('b') || s == 'a'",
    "s == 'a' && s.inCidr('10.0.0.0/8')",
]
VALUES: list[dict[str, object]] = [
    {"s": "10.0.0.1", "m": {"a": "b"}},
    {"s": "a", "m": {"a": "bc", "c": "y"}},
    {"s": "a", "m": {}},
    {"s": "a", "m": {"lost": "b"}},
    {"m": {"a": "b"}},
    {"s": "a\0", "m": {"a": "b"}},
    {},
]


def tree(environment: Environment, source: str, variables: dict[str, CelType]) -> CheckedExpr:
    """Return the tree that an engine is handed."""
    checked = environment._engine.check(source)
    rewrite(checked, walk(checked.expr), variables)
    return checked


@pytest.mark.parametrize("source", HOISTED)
@pytest.mark.parametrize("values", VALUES, ids=str)
def test_an_expression_says_what_a_walk_of_the_whole_says(
    first: Environment, variables: dict[str, CelType], source: str, values: dict[str, object]
) -> None:
    """Truth, value and error are the same, whichever parts have a value and whichever are reached."""
    program = first._engine.program(tree(first, source, variables))
    assert isinstance(program, Hoisted)
    whole = Program(tree(first, source, variables).expr, variables)
    expected = whole.holds(first.activation(values))
    assert program.holds(first.activation(values)) == expected
    assert program.value(first.activation(values)) == expected


def test_one_activation_serves_expressions_with_parts_and_without(first: Environment) -> None:
    """What one expression binds is there for itself, and in nobody else's way."""
    activation = first.activation({"s": "10.0.0.1", "m": {"a": "b"}})
    sources = ["s == '10.0.0.1'", *HOISTED[:4], "m['a'] == 'b'"]
    together = [first.compile(source).holds(activation) for source in [*sources, *sources]]
    apart = [first.compile(source).holds(first.activation({"s": "10.0.0.1", "m": {"a": "b"}})) for source in sources]
    assert together == apart * 2


@pytest.mark.parametrize(
    "source",
    [
        "s.inCidr('10.0.0.0/8')",
        "l.exists(x, x.matches('a')) && s == 'a'",
        "hash.sha256(s) == 'b' && s == 'a'",
        "hasAny(l.map(x, x + 'a'), ['b']) && s == 'a'",
    ],
    ids=["the whole", "in a loop", "no yes or no", "around a loop"],
)
def test_what_is_not_small_and_asked_once_is_walked(
    first: Environment, variables: dict[str, CelType], source: str
) -> None:
    """A part costs little whatever the rest says; anything else stays where it is written."""
    checked = tree(first, source, variables)
    assert hoist(checked, variables) is None or source.startswith("hash")
    assert first.compile(source).walked


def test_an_error_is_told_as_it_is(first: Environment) -> None:
    """Nobody is told of the names that stand for parts."""
    error = first.compile("m['lost'].matches('b') && s == 'a'").holds(first.activation({"s": "a", "m": {}}))
    assert isinstance(error, EvaluationError)
    assert "@" not in error.message
    assert error == first.compile("m['lost'] == 'b'").holds(first.activation({"s": "a", "m": {}}))
