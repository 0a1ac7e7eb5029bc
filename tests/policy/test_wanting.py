"""What stood in the way of a rule."""

from __future__ import annotations

from typing import Any

import pytest

from authz.audit import ReadsForm, ReadsWriter
from authz.cel import BOOL, VARIABLES, Environment
from authz.policy.showing import Showing
from authz.policy.wanting import NOT_ASKED, brief, missing, standing

ENVIRONMENT = Environment({**VARIABLES, "variables.v": BOOL})
GIVEN = {"request.method": "GET", "request.path": "/a", "request.host": "h", "variables.v": False}


def term(source: str) -> Any:
    """Return an expression as it is shown."""
    trace = ENVIRONMENT.compile(source).tracer().trace(ENVIRONMENT.activation(GIVEN))
    return Showing(ReadsWriter(ReadsForm.VALUES)).term(trace)


def texts(found: Any) -> list[Any]:
    """Return what was missing; alternatives are tuples."""
    return [tuple(map(tuple, map(texts, one.either))) if one.either else one.text for one in found]


@pytest.mark.parametrize(
    ("source", "lacks"),
    [
        ('request.method == "GET"', []),
        ('request.method == "PUT"', ['request.method == "PUT"']),
        ('request.path == "/a" && request.host == "x"', ['request.host == "x"']),
        ('request.host == "x" && request.method == "GET"', ['request.host == "x"', 'request.method == "GET"']),
        ('!(request.method == "GET")', ['!(request.method == "GET")']),
        ('!(variables.v || request.method == "GET")', ['!(request.method == "GET")']),
        ('request.method == "PUT" || request.path == "/b" || request.host == "i"', [
            (('request.method == "PUT"',), ('request.path == "/b"',), ('request.host == "i"',)),
        ]),
        ('request.method == "GET" ? request.path == "/b" : true', ['request.path == "/b"']),
        ("variables.v", ["variables.v"]),
    ],
)  # fmt: skip
def test_the_false_conjuncts_are_what_is_missing(source: str, lacks: list[Any]) -> None:
    """Of an `&&` what did not hold or was not looked at, of an `||` each way, of `!` the opposite."""
    assert texts(missing(term(source), {})) == lacks


def test_what_should_not_have_held_is_named_with_its_values() -> None:
    """Of a deny rule, what made it hold."""
    (found,) = standing(term('request.method == "GET" && request.path == "/a"'), {})
    assert found.text == 'request.method == "GET" && request.path == "/a"'
    assert [way[0].found for way in found.either] == ['request.method is "GET"', 'request.path is "/a"']


def test_what_was_not_looked_at_says_so() -> None:
    """It may well be missing too."""
    assert missing(term('request.host == "x" && request.method == "PUT"'), {})[1].found == NOT_ASKED


def test_an_error_is_what_was_found() -> None:
    """C4: a key that is not there is told from one that is another."""
    (found,) = missing(term('request.headers["x"] == "y"'), {})
    assert "request.headers has no value" in found.found


def test_long_values_are_shortened() -> None:
    """A person reads a line."""
    assert len(brief("x" * 1000)) < 130
    assert brief("short") == "short"
