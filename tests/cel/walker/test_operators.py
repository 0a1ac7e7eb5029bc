"""Operators and conversions of the Python engine."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authz.cel import DOUBLE, EngineName, Environment
from authz.cel.types import Kind
from authz.cel.values import NoValueError
from authz.cel.walker.calls import operation
from authz.cel.walker.operators import OPERATORS, double_text, to_int, to_uint
from authz.cel.walker.values import Uint

int64 = st.integers(-(2**63), 2**63 - 1)
FIRST = Environment({"x": DOUBLE}, engine=EngineName.CEL_EXPR_PYTHON)
WRITTEN = FIRST.compile("string(x)")


@given(int64, int64)
def test_quotient_and_rest_make_up_the_number(left: int, right: int) -> None:
    """Division cuts off towards zero, and the rest has the sign of what is divided."""
    assume(right != 0 and (left, right) != (-(2**63), -1))
    quotient, rest = operation("_/_")(left, right), operation("_%_")(left, right)
    assert quotient * right + rest == left
    assert abs(rest) < abs(right)
    assert rest == 0 or (rest < 0) == (left < 0)


@given(int64, int64, st.sampled_from(["_+_", "_-_", "_*_"]))
def test_an_int_is_right_or_an_error(left: int, right: int, name: str) -> None:
    """Nothing wraps around."""
    exact = {"_+_": left + right, "_-_": left - right, "_*_": left * right}[name]
    try:
        found = operation(name)(left, right)
    except NoValueError:
        assert not -(2**63) <= exact < 2**63
    else:
        assert found == exact
        assert type(found) is int


@given(st.floats(allow_nan=False))
def test_a_double_is_written_as_the_first_engine_writes_it(value: float) -> None:
    """Both engines give the same text of a double."""
    expected = WRITTEN.value(FIRST.activation({"x": value}))
    assert double_text(value) == expected


def test_only_what_is_in_the_table_is_an_operation() -> None:
    """No number is a bool, no text a number, and kinds do not mix."""
    for name, arguments in (
        ("_+_", (True, 1)),
        ("_+_", (1, 1.0)),
        ("_+_", (1, Uint(1))),
        ("_<_", (True, 1)),
        ("_<_", ("1", 1)),
        ("-_", (Uint(1),)),
        ("!_", (1,)),
        ("_%_", (1.0, 2.0)),
        ("uint", (True,)),
        ("string", (None,)),
    ):
        with pytest.raises(NoValueError, match="no such operation"):
            operation(name)(*arguments)
    assert (Kind.BOOL, Kind.INT) not in OPERATORS["_<_"]


def test_numbers_of_different_types_are_compared_by_value() -> None:
    """An int, a uint and a double have an order between them, exact beyond what a double holds."""
    less = operation("_<_")
    assert less(-1, Uint(0))
    assert less(1, 1.5)
    assert less(2**53, float(2**53) + 2)
    assert not less(math.nan, 1.0)
    assert not less(2**53 + 1, float(2**53))


@pytest.mark.parametrize("text", ["", "1_0", "0x10", "1.5", "²", "1" * 65, "++1", "- 1", "\uff11"])
def test_what_is_no_number_is_an_error(text: str) -> None:
    """Only decimal digits with a sign are an int, and not too many of them."""
    with pytest.raises(NoValueError):
        operation("int")(text)


def test_bounds_of_integers() -> None:
    """The largest and the smallest are in, the next are not."""
    assert to_int(2**63 - 1) == 2**63 - 1
    assert to_uint(2**64 - 1) == 2**64 - 1
    for convert, value in ((to_int, 2**63), (to_int, -(2**63) - 1), (to_uint, 2**64), (to_uint, -1)):
        with pytest.raises(NoValueError):
            convert(value)
