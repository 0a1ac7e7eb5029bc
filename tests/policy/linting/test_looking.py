"""Tests of how a linter looks at expressions."""

from __future__ import annotations

import pytest

from authz.cel import VARIABLES, Environment, EvaluationError
from authz.policy.linting.looking import text


@pytest.mark.parametrize("written", ['"a"', "'a\"b'", r'"a\\d"', r'r"\d"', r"'it\'s'", '"""a"""', "R'''a\\d'''"])
def test_a_literal_is_the_text_that_the_engine_reads(written: str) -> None:
    """In every form of quotes, raw or not."""
    environment = Environment(VARIABLES)
    expression = environment.compile(written)
    value = expression.value(environment.activation({}))
    assert not isinstance(value, EvaluationError)
    assert text(expression.tracer().whole) == value


@pytest.mark.parametrize("written", ["1", "true", "request.path", '"a" + "b"', 'b"a"'])
def test_anything_else_is_no_text(written: str) -> None:
    """Names, numbers, bytes and what is computed."""
    assert text(Environment(VARIABLES).compile(written).tracer().whole) is None
