"""The engine interface over the Python engine."""

from __future__ import annotations

import pytest

from authz.cel import Code, CompileError
from authz.cel.python.engine import environment
from authz.cel.types import DYN, STRING


def test_the_tree_that_is_checked_is_the_tree_that_runs() -> None:
    """A program runs what it is handed, whoever made it."""
    engine = environment({"s": STRING})
    checked = engine.check("s == 'a'")
    checked.expr.call_expr.function = "_!=_"
    assert engine.program(checked).holds(engine.activation({"s": "a"})) is False


def test_an_expression_that_is_nested_too_deep_is_a_fault() -> None:
    """Recursion ends in a fault and not in an exception (C13)."""
    engine = environment({"d": DYN})
    with pytest.raises(CompileError) as caught:
        engine.check("[" * 500 + "]" * 500)
    assert caught.value.faults[0].code is Code.SIZE
