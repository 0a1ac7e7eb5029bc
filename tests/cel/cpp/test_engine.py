"""The C++ engine: what it does that has to be read with care."""

from __future__ import annotations

import gc
import resource
from typing import TYPE_CHECKING

import pytest

from authz.cel import CompileError, EvaluationError

if TYPE_CHECKING:
    from authz.cel import Environment


def test_an_error_is_a_truthy_text_to_the_engine(first: Environment) -> None:
    """What makes this adapter necessary is still so: errors are texts, and every value is true to `bool` (C1)."""
    expression = first._engine._environment.compile("m['nope'] == 'y'")  # type: ignore[attr-defined]
    result = expression.eval(first.activation({"m": {}}).native)
    assert bool(result.value()) is True
    assert bool(result) is True
    assert isinstance(first.compile("m['nope'] == 'y'").holds(first.activation({"m": {}})), EvaluationError)


def test_a_text_is_cut_at_nul_by_the_engine(first: Environment) -> None:
    """What makes the fitting of bindings necessary is still so; the day it is not, it can go."""
    expression = first._engine._environment.compile("s == 'admin'")  # type: ignore[attr-defined]
    assert expression.eval(first._engine.activation({"s": "admin\0x"}).native).value() is True
    assert isinstance(first.compile("s == 'admin'").holds(first.activation({"s": "admin\0x"})), EvaluationError)


def test_nothing_is_written_to_stderr(first: Environment, capfd: pytest.CaptureFixture[str]) -> None:
    """No pattern, no error and no fault makes the engine write a line (C10)."""
    for source in ("s.matches('(')", "s.matches('x\\n[')", "s ==", "s.inCidr('x')", "1 / 0 == 1", "{'a': 1, 'a': 2}"):
        try:
            first.compile(source).value(first.activation({"s": "a"}))
        except CompileError:
            continue
    assert capfd.readouterr().err == ""


def test_evaluating_leaves_no_memory_behind(first: Environment) -> None:
    """Tens of thousands of evaluations, with functions of ours, errors and composite results, cost no memory."""
    rules = [
        first.compile(source)
        for source in (
            "s.inCidr('10.0.0.0/8')", "s.matches('^10')", "hash.sha256(b) == ''", "l.map(x, x + 'y').join(',') == s",
            "m['nope'] == 'x'", "[m, l, 1]", "hasAny(l, ['a'])", "url.encode(s) == s", "s.startsWith('10.')",
        )
    ]  # fmt: skip

    def evaluate(times: int) -> int:
        for number in range(times):
            values = {"s": f"10.0.0.{number % 250}", "b": b"x" * 5_000 + str(number).encode(), "l": ["a", str(number)]}
            activation = first.activation({**values, "m": {"a": str(number)}})
            for rule in rules:
                rule.holds(activation)
                rule.value(activation)
        gc.collect()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = evaluate(3_000)
    assert evaluate(5_000) - before < 4_096
