"""What decides whether a part of an expression is evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.cel.values import NoValueError
from authz.cel.walker.control import LAZY, Loop, outcome
from authz.cel.walker.frame import Frame
from authz.cel.walker.values import NOTHING, Optional

if TYPE_CHECKING:
    from collections.abc import Callable


def gives(value: object) -> Callable[[Frame], object]:
    """Return a node with a value, or one that raises it."""

    def node(_: Frame) -> object:
        if isinstance(value, Exception):
            raise value
        return value

    return node


def error() -> NoValueError:
    """Return an error of an expression."""
    return NoValueError("x")


TRUTH = {
    ("_&&_", True, True): True,
    ("_&&_", True, False): False,
    ("_&&_", False, error): False,
    ("_&&_", error, False): False,
    ("_&&_", error, True): error,
    ("_&&_", True, error): error,
    ("_&&_", "a", False): False,
    ("_&&_", "a", True): error,
    ("_&&_", error, "a"): error,
    ("_||_", False, False): False,
    ("_||_", True, error): True,
    ("_||_", error, True): True,
    ("_||_", error, False): error,
    ("_||_", False, error): error,
    ("_||_", "a", True): True,
    ("_||_", 1, False): error,
}


@pytest.mark.parametrize("case", TRUTH)
def test_one_side_alone_can_settle_it(case: tuple[str, object, object]) -> None:
    """`&&` is settled by false and `||` by true, from either side; what is no bool settles nothing (C2)."""
    name, *sides = case
    nodes = [gives(error() if side is error else side) for side in sides]
    found = outcome(LAZY[name](*nodes), Frame({}))
    expected = TRUTH[case]
    assert isinstance(found, NoValueError) if expected is error else found is expected


def test_only_the_branch_that_is_chosen_is_evaluated() -> None:
    """The other one may be an error; a condition that is no bool chooses none."""
    choose = LAZY["_?_:_"]
    assert choose(gives(True), gives(1), gives(error()))(Frame({})) == 1
    assert choose(gives(False), gives(error()), gives(2))(Frame({})) == 2
    for condition in (1, "true", None, error()):
        assert isinstance(outcome(choose(gives(condition), gives(1), gives(2)), Frame({})), NoValueError)


def test_what_stands_in_is_looked_at_only_where_nothing_is() -> None:
    """`orValue` gives the content, `or` the optional."""
    there = Optional(present=True, content=1)
    assert LAZY["orValue"](gives(there), gives(error()))(Frame({})) == 1
    assert LAZY["or"](gives(there), gives(error()))(Frame({})) == there
    assert LAZY["orValue"](gives(NOTHING), gives(2))(Frame({})) == 2
    assert isinstance(outcome(LAZY["orValue"](gives(5), gives(2)), Frame({})), NoValueError)


def test_strictly_false_is_false_and_no_error() -> None:
    """What ends a loop is false itself."""
    strictly = LAZY["@not_strictly_false"]
    assert [strictly(gives(value))(Frame({})) for value in (True, False, error(), "a")] == [True, False, True, True]


def test_a_loop_hides_names_no_longer_than_it_runs() -> None:
    """Names around a loop come back when it ends, also in an error."""
    frame = Frame({})
    frame.locals = around = {"x": "around"}
    for result in ("done", error()):
        loop = Loop(
            over=gives([1, 2]),
            start=gives(0),
            condition=gives(True),
            step=lambda inner: inner.locals["x"],
            result=gives(result),
            element="x",
            running="@result",
        )
        found = outcome(loop.run, frame)
        assert isinstance(found, NoValueError) or found == "done"
        assert frame.locals is around
    with pytest.raises(NoValueError):
        Loop(
            over=gives("text"),
            start=gives(0),
            condition=gives(True),
            step=gives(0),
            result=gives(0),
            element="x",
            running="@result",
        ).run(frame)
