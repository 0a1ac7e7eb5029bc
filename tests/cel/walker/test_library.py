"""Functions of the Python engine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.cel import INT, STRING, EngineName, Environment, EvaluationError
from authz.cel.values import NoValueError
from authz.cel.walker.calls import operation
from authz.cel.walker.values import Optional, UnsupportedError

TEXT = st.text(alphabet="ab,é😀 \t\x85\x1c", max_size=8)
VARIABLES = {"s": STRING, "p": STRING, "i": INT, "j": INT}
BOTH = [Environment(VARIABLES, engine=engine) for engine in EngineName if engine is not EngineName.AUTO]
SOURCES = [
    "s.split(p)", "s.split(p, i)", "s.substring(i, j)", "s.substring(i)", "s.charAt(i)", "s.indexOf(p)",
    "s.indexOf(p, i)", "s.lastIndexOf(p)", "s.lastIndexOf(p, i)", "s.trim()", "s.reverse()", "s.upperAscii()",
    "s.replace(p, 'x', i)", "s.contains(p)", "s.size()", "s < p", "base64.decode(s)", "base64.encode(bytes(s))",
    "math.bitShiftLeft(i, j)", "math.bitShiftRight(i, j)", "math.bitXor(i, j)", "math.bitNot(i)", "math.abs(i)",
]  # fmt: skip


@given(st.sampled_from(SOURCES), TEXT, TEXT, st.integers(-3, 70), st.integers(-3, 70))
def test_functions_do_what_the_first_engine_does(source: str, s: str, p: str, i: int, j: int) -> None:
    """The same values, and errors where the other has errors."""
    values = []
    for environment in BOTH:
        activation = environment.activation({"s": s, "p": p, "i": i, "j": j})
        value = environment.compile(source).value(activation)
        values.append("error" if isinstance(value, EvaluationError) else value)
    assert values[0] == values[1]


def test_what_is_not_supported_says_so() -> None:
    """What the walker does not know is no error of the expression."""
    with pytest.raises(UnsupportedError):
        operation("optional.ofNonZeroValue")(object())


def test_rounding_is_away_from_zero() -> None:
    """Halves are rounded up in size, and what is just below a half is not."""
    rounded = operation("math.round")
    assert [rounded(value) for value in (0.5, -0.5, 1.5, 2.5, 0.49999999999999994, -2.4)] == [1, -1, 2, 3, 0, -2]


def test_the_greatest_is_of_numbers_only() -> None:
    """A bool or a text among them is no operation."""
    assert operation("math.greatest")(1, 2.5) == 2.5
    assert operation("math.least")([3, 2]) == 2
    for arguments in ((True, 1), ("a",), ([],), ([1], 2)):
        with pytest.raises(NoValueError):
            operation("math.greatest")(*arguments)


def test_the_first_of_nothing_is_nothing() -> None:
    """`first` and `last` give optionals."""
    assert operation("first")([]) == Optional(present=False)
    assert operation("last")([1, 2]) == Optional(present=True, content=2)
