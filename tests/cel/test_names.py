"""What is said of a name that is not there."""

from __future__ import annotations

import pytest

from authz.cel.faults import Code
from authz.cel.names import no_field, not_taken, spoken, undeclared_function, undeclared_variable, unexpected

VARIABLES = ("request.method", "request.path", "identity.subject")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("request.methd", 'undeclared variable "request.methd"', 'did you mean "request.method"?'),
        ("reqest", 'undeclared variable "reqest"', 'did you mean "request"?'),
        ("request", '"request" has no value of its own', "it has request.method, request.path"),
        ("GET", 'undeclared variable "GET"', 'a text is in quotes: "GET"'),
        ("zzz.yyy", 'undeclared variable "zzz.yyy"', ""),
    ],
)
def test_an_undeclared_variable_comes_with_the_nearest(name: str, message: str, hint: str) -> None:
    """A slip is answered with what was probably meant."""
    fault = undeclared_variable(name, VARIABLES, line=1, column=2, length=3)
    assert (fault.message, fault.hint, fault.code) == (message, hint, Code.UNDECLARED)
    assert (fault.line, fault.column, fault.length) == (1, 2, 3)


def test_an_undeclared_function_comes_with_the_nearest() -> None:
    """A function that is there but not called like this is told apart."""
    assert undeclared_function("startWith", line=1, column=1, length=9).hint == 'did you mean "startsWith"?'
    assert undeclared_function("matches", line=1, column=1, length=7).message == '"matches" is not called like this'


def test_a_missing_field_comes_with_the_nearest() -> None:
    """Fields of messages are known from their descriptors."""
    fault = no_field("htp", "envoy.service.auth.v3.AttributeContext.Request", line=1, column=1)
    assert fault.hint == 'did you mean "http"?'
    assert no_field("x", "no.such.Message", line=1, column=1).hint == ""


@pytest.mark.parametrize(
    ("token", "hint"), [("and", "&&"), ("or", "||"), ("not", "!"), ("=", "=="), ("&", "&&"), ("|", "||")]
)
def test_the_words_of_other_languages_are_known(token: str, hint: str) -> None:
    """What Python or SQL would write is answered with what CEL writes."""
    assert unexpected(token, line=1, column=1).hint == f'did you mean "{hint}"?'


def test_an_operator_is_spoken_as_it_is_written() -> None:
    """The names of operators in the tree are not shown to people."""
    assert [spoken(name) for name in ("_==_", "!_", "_?_:_", "_[_]", "@in", "contains", "math.@max")] == [
        "==",
        "!",
        "?:",
        "[]",
        "in",
        "contains",
        "math.@max",
    ]
    assert not_taken("_+_", "int, string", line=1, column=1).message == '"+" does not take (int, string)'
