"""The C++ engine: what it does that has to be read with care."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.cel import BOOL, STRING, CompileError, EvaluationError
from authz.cel.cpp import engine
from authz.cel.functions import Overload

if TYPE_CHECKING:
    from authz.cel import Environment


def test_an_error_is_a_truthy_text_to_the_engine(first: Environment) -> None:
    """What makes this adapter necessary is still so: errors are texts, and every value is true to `bool` (C1)."""
    expression = first._engine._environment.compile("m['nope'] == 'y'")  # type: ignore[attr-defined]
    result = expression.eval(first.activation({"m": {}}))
    assert bool(result.value()) is True
    assert bool(result) is True
    assert isinstance(first.compile("m['nope'] == 'y'").holds(first.activation({"m": {}})), EvaluationError)


def test_a_text_is_cut_at_nul_by_the_engine(first: Environment) -> None:
    """What makes the fitting of bindings necessary is still so; the day it is not, it can go."""
    expression = first._engine._environment.compile("s == 'admin'")  # type: ignore[attr-defined]
    assert expression.eval(first._engine.activation({"s": "admin\0x"})).value() is True
    assert isinstance(first.compile("s == 'admin'").holds(first.activation({"s": "admin\0x"})), EvaluationError)


def test_a_function_is_guarded() -> None:
    """What a function raises is marked or hidden, and a text that would be cut is an error."""

    def fails(_: str) -> str:
        raise KeyError("hunter2")

    for call, told in ((fails, "the function failed"), (lambda _: "a\0b", "the result holds NUL")):
        guarded = engine._guarded(Overload(id="x", parameters=(STRING,), result=STRING, call=call))
        with pytest.raises(ValueError, match=told):
            guarded("a")
    assert engine._guarded(Overload(id="x", parameters=(STRING,), result=BOOL, call=bool))("a") is True


def test_nothing_is_written_to_stderr(first: Environment, capfd: pytest.CaptureFixture[str]) -> None:
    """No pattern, no error and no fault makes the engine write a line (C10)."""
    for source in ("s.matches('(')", "s.matches('x\\n[')", "s ==", "s.inCidr('x')", "1 / 0 == 1", "{'a': 1, 'a': 2}"):
        try:
            first.compile(source).value(first.activation({"s": "a"}))
        except CompileError:
            continue
    assert capfd.readouterr().err == ""
