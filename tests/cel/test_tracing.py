"""An evaluation shown part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from authz.cel import CompileError, EvaluationError, StringSet
from authz.cel.tracing import MOST_TURNS
from tests.cel.test_truth_table import ROWS, Row

if TYPE_CHECKING:
    from authz.cel import Environment
    from authz.cel.tracing import Trace


def traced(environment: Environment, source: str, **given: Any) -> Trace:
    """Return the trace of an expression."""
    return environment.compile(source).tracer().trace(environment.activation(given))


def seen(trace: Trace) -> dict[str, tuple[object, ...]]:
    """Return what each part was, by its text."""
    return {part.text: trace.values(part) for part in trace.whole.walk()}


@pytest.mark.parametrize("row", ROWS)
def test_a_trace_shows_the_value_that_decides(environment: Environment, row: Row) -> None:
    """Over the whole truth table the walk comes to the engine's value, or the trace says that it cannot tell."""
    try:
        expression = environment.compile(row.source)
    except CompileError:
        return
    activation = environment.activation(row.given)
    value, trace = expression.value(activation), expression.tracer().trace(activation)
    assert repr(trace.value) == repr(value)
    assert trace.values(trace.whole) == (trace.value,) or value != value  # noqa: PLR0124 - NaN
    assert trace.agrees or row.second_cannot_tell


def test_what_was_not_needed_is_not_shown_as_evaluated(environment: Environment) -> None:
    """`&&`, `||` and `?:` leave out what does not matter any more, and that is told from what was false."""
    trace = traced(environment, 's == "a" && i == 1 || (i > 5 ? s == "b" : i / 0 == 1)', s="c", i=7)
    parts = seen(trace)
    assert parts['s == "a"'] == (False,)
    assert parts["i == 1"] == ()
    assert parts["i > 5"] == (True,)
    assert parts['s == "b"'] == (False,)
    assert parts["i / 0 == 1"] == ()
    assert not any(trace.evaluated(part) for part in trace.whole.walk() if part.text == "i == 1")


def test_an_error_is_at_the_part_that_has_no_value(environment: Environment) -> None:
    """C4: a missing key is an error where it is read, and everything it makes one; the other side is still asked."""
    parts = seen(traced(environment, 'd.a.b == "x" || i == 1', d={"a": {}}, i=1))
    assert isinstance(parts["d.a.b"][0], EvaluationError)
    assert isinstance(parts['d.a.b == "x"'][0], EvaluationError)
    assert parts["d.a"] == ({},)
    assert parts["i == 1"] == (True,)


def test_a_loop_shows_each_turn_up_to_a_bound(environment: Environment) -> None:
    """A part inside a loop has a value per turn, and no more than can be read."""
    parts = seen(traced(environment, 'l.exists(x, x == "c")', l=["a", "b", "c", "d"]))
    assert parts['x == "c"'] == (False, False, True)
    many = seen(traced(environment, 'l.all(x, x != "")', l=["a"] * 100))
    assert len(many['x != ""']) == MOST_TURNS


def test_what_was_exchanged_shows_as_it_was_written(environment: Environment) -> None:
    """Indexed data, patterns and `now()` are asked in another way and shown in the author's."""
    users = StringSet(["a"])
    trace = traced(environment, 's in data.users && s.matches("^a$")', s="a", **{"data.users": users})
    assert trace.value is True
    parts = seen(trace)
    assert parts["s in data.users"] == parts['s.matches("^a$")'] == (True,)
    assert "data.users" not in parts


def test_optionals_show_what_they_hold(environment: Environment) -> None:
    """An optional is shown as its content, an empty one as nothing."""
    parts = seen(traced(environment, 'm[?"a"].orValue("") == m[?"b"].orValue("")', m={"a": "x"}))
    assert (parts['m[?"a"]'], parts['m[?"b"]']) == (("x",), (None,))
