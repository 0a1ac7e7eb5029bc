"""A checked tree, run by the Python engine."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import pytest

from authz.cel import EvaluationError

if TYPE_CHECKING:
    from authz.cel import Environment


@pytest.mark.parametrize("source", ["{} || true", "{} && false", "[{}].size() == 1", "cel.bind(z, {}, true)"])
def test_a_spent_budget_is_stopped_by_nothing(second: Environment, source: str) -> None:
    """`||` settles errors, but not that an evaluation was too long (C12)."""
    loops = "d.all(x, d.all(y, x + y >= 0))"
    expression = second.compile(source.replace("{}", loops))
    held = expression.holds(second.activation({"d": list(range(200))}))
    assert held == EvaluationError("too many iterations")


def test_the_budget_bounds_the_time(second: Environment) -> None:
    """The dearest loops end in time for an answer."""
    expression = second.compile("d.all(x, d.all(y, x + y >= 0)) && d.map(x, x).size() > 0")
    started = perf_counter()
    expression.holds(second.activation({"d": list(range(10_000))}))
    assert perf_counter() - started < 2


def test_names_of_a_loop_end_with_it(second: Environment) -> None:
    """Even a loop that ended in an error leaves no name behind."""
    rule = second.compile("d.exists(x, x.a == 1) || [5].all(x, x == 5) && cel.bind(y, 1, y == 1)")
    assert rule.holds(second.activation({"d": [{}, {}]})) is True


def test_a_bug_is_no_answer(second: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception nobody expects is an error that tells nothing, and says that the engine cannot tell."""
    expression = second.compile("s.inCidr('10.0.0.0/8')")
    monkeypatch.setattr("ipaddress.IPv4Address.__int__", lambda _: 1 / 0)
    held = expression.holds(second.activation({"s": "10.99.98.97"}))
    assert held == EvaluationError("the expression has no value", unsupported=True)


def test_deep_values_do_not_end_the_process(second: Environment) -> None:
    """A value that is deeper than Python's stack is an error."""
    deep: object = 1
    for _ in range(5_000):
        deep = [deep]
    held = second.compile("d == d").holds(second._engine.activation({"d": deep}))
    assert held == EvaluationError("the value is too deep", unsupported=True)
