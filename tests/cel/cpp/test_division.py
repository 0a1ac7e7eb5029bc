"""Which expressions the C++ engine runs."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import pytest

from authz.cel import Code, CompileError, EvaluationError, standard
from authz.cel.cpp.division import is_walked
from authz.cel.rewrite import rewrite
from authz.cel.tree import walk

if TYPE_CHECKING:
    from authz.cel import CelType, Environment


def walked(environment: Environment, source: str, variables: dict[str, CelType]) -> bool:
    """Return whether an expression is walked."""
    checked = environment._engine.check(source)
    rewrite(checked, walk(checked.expr), variables)
    return is_walked(checked)


@pytest.mark.parametrize(
    "source",
    [
        "s.inCidr('10.0.0.0/8')",
        "s.matches('^a')",
        "s == 'a' || hash.sha256(s) == 'b'",
        "'a' in data.users",
        "data.plans.acme == 1",
        "l.exists(x, x in data.users)",
        "l.join(',') == 'a'",
        "d.a.all(x, x in d.b)",
        "l.all(x, s.contains(x))",
        "l.all(x, x == 'a' || size(d.list) > 1)",
        "l.all(x, x + s == 'a')",
        "l.all(x, d['a'][?'b'].orValue(1) == 1 && x in d['a'].c)",
    ],
)
def test_what_leaks_or_is_out_of_proportion_is_walked(
    first: Environment, variables: dict[str, CelType], source: str
) -> None:
    """Calls of our functions, and work in a loop whose size the caller chooses, are not the engine's."""
    assert walked(first, source, variables)


@pytest.mark.parametrize(
    "source",
    [
        "request.method == 'GET' && 'a' in identity.scopes && request.headers['x'] == d.x",
        "l.exists(x, x == s || x.startsWith('a'))",
        "l.all(x, x in ['a', 'b'])",
        "d.items.exists(x, x.name.contains('a') && x.tags.size() > 1)",
        "l.map(x, x + '!').size() > 1",
        "s.contains('a') && size(l) > 1",
        "m[?'a'].orValue('') == s",
    ],
)
def test_everything_else_is_the_engines(first: Environment, variables: dict[str, CelType], source: str) -> None:
    """What is linear in its input is run by the engine."""
    assert not walked(first, source, variables)


@pytest.mark.parametrize(
    "known", [*standard.OPERATORS, *standard.MACROS, *standard.FUNCTIONS], ids=lambda known: known.name
)
def test_everything_can_stand_beside_our_functions(first: Environment, known: standard.Function) -> None:
    """What the engine can do is also known where an expression is walked."""
    source = f"hash.sha256(s) == hash.sha256('a') && ({known.example})"
    assert first.compile(source).holds(first.activation({"s": "a"})) is True


def test_what_cannot_be_walked_is_a_fault(first: Environment) -> None:
    """A message beside a function of ours is refused when it is loaded."""
    with pytest.raises(CompileError) as caught:
        first.compile("hash.sha256(s) == 'a' && google.protobuf.Int32Value{value: 1} == 1")
    assert caught.value.faults[0].code is Code.UNSUPPORTED


@pytest.mark.parametrize("source", ["d.a.all(x, x in d.b)", "d.a.all(x, !(s.contains(string(x) + 'z')))"])
def test_a_budget_counts_size(environment: Environment, source: str) -> None:
    """Two long lists, or a long text asked again and again, are an error in time (C12)."""
    values = {"d": {"a": list(range(9_000)), "b": list(range(9_000, 18_000))}, "s": "x" * 1_000_000}
    expression = environment.compile(source)
    started = perf_counter()
    held = expression.holds(environment.activation(values))
    assert perf_counter() - started < 2
    assert isinstance(held, EvaluationError) or held is False
