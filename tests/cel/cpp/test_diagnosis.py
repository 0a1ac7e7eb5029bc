"""The words of the C++ engine, translated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.cel import Code, CompileError
from authz.cel.cpp.diagnosis import evaluation_error

if TYPE_CHECKING:
    from authz.cel import CompileFault, Environment


def faults(environment: Environment, source: str) -> tuple[CompileFault, ...]:
    """Return what is wrong with an expression."""
    with pytest.raises(CompileError) as caught:
        environment.compile(source)
    return caught.value.faults


@pytest.mark.parametrize(
    ("source", "place", "message", "hint"),
    [
        ("request.methd == 'x'", (1, 1, 13), 'undeclared variable "request.methd"', 'did you mean "request.method"?'),
        (
            "  request . methd == 'x'",
            (1, 3, 15),
            'undeclared variable "request.methd"',
            'did you mean "request.method"?',
        ),
        ("'😀' == requst.path", (1, 8, 11), 'undeclared variable "requst.path"', 'did you mean "request.path"?'),
        ("request.method.startWith('a')", (1, 16, 9), 'undeclared function "startWith"', 'did you mean "startsWith"?'),
        ("has(request.methd)", (1, 5, 13), 'undeclared variable "request.methd"', 'did you mean "request.method"?'),
        ("math.foor(1.0)", (1, 1, 9), 'undeclared function "math.foor"', 'did you mean "math.floor"?'),
        ("url.encod(s)", (1, 1, 9), 'undeclared function "url.encod"', 'did you mean "url.encode"?'),
        ("s.matches('a', 'b')", (1, 3, 7), '"matches" is not called like this', ""),
        (
            "attributes.request.htp.path",
            (1, 20, 3),
            'no field "htp" in envoy.service.auth.v3.AttributeContext.Request',
            'did you mean "http"?',
        ),
        ("request.mcp.tol == ''", (1, 13, 3), 'no field "tol" in authz.v1.Mcp', 'did you mean "tool"?'),
        ("s == 1", (1, 3, 2), '"==" does not take (string, int)', "convert one of them: string(...), int(...)"),
        ("s.contains(1)", (1, 3, 8), '"contains" does not take (string, int)', ""),
        ("t + 1", (1, 3, 1), '"+" does not take (timestamp, int)', ""),
        ("'a' in s", (1, 5, 2), '"in" does not take (string, string)', "write text.contains(part)"),
        ("s == null", (1, 3, 2), '"==" does not take (string, null)', ""),
        ("s.length", (1, 2, 1), "string has no fields", ""),
        ("s = 'a'", (1, 3, 1), 'syntax error: unexpected "="', 'did you mean "=="?'),
        ("s == 'a' and i == 1", (1, 10, 3), 'syntax error: unexpected "and"', 'did you mean "&&"?'),
        ("s ==", (1, 5, 1), "syntax error: unexpected end of the expression", ""),
        ("", (1, 1, 1), "syntax error: unexpected end of the expression", ""),
        ("'abc", (1, 1, 1), "syntax error: this text is not closed, or has an escape that is none", ""),
        ("s ==\n  'a' &&\n  foo", (3, 3, 3), 'undeclared variable "foo"', 'a text is in quotes: "foo"'),
        (
            "(" * 40 + "1" + ")" * 40,
            (1, 1, 1),
            "the expression is nested more than 32 deep",
            "split it up with variables",
        ),
    ],
)
def test_a_fault_says_what_and_where(
    first: Environment, source: str, place: tuple[int, int, int], message: str, hint: str
) -> None:
    """One fault, under the name or the operator that is wrong, in the words of the author."""
    (fault,) = faults(first, source)
    assert (fault.line, fault.column, fault.length) == place
    assert (fault.message, fault.hint) == (message, hint)


def test_several_faults_are_all_reported(first: Environment) -> None:
    """Each fault of an expression is told, and none that only follows from another."""
    found = faults(first, "foo == 1 && bar.baz == 2 && s == 3 && attributes.x.y == 1")
    assert [fault.column for fault in found] == [1, 13, 31, 50]
    assert [fault.code for fault in found] == [Code.UNDECLARED, Code.UNDECLARED, Code.TYPE, Code.FIELD]


def test_after_a_syntax_error_the_rest_is_guesswork(first: Environment) -> None:
    """Only the first syntax error is told."""
    assert len(faults(first, "s == 'a' &&\n&& foo ||| bar")) == 1


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ('NOT_FOUND: Key not found in map : "hunter2"', "no such key"),
        ('UNKNOWN: No value with name "request.method" found in Activation', "request.method has no value"),
        ('UNKNOWN: No value with name "@data.users" found in Activation', "data.users has no value"),
        (
            'UNKNOWN: No value with name "@too_many" found in Activation',
            "a list of more than 256 elements was to be made",
        ),
        ("UNKNOWN: Index error: index=-1 size=1", "no such index"),
        ("INVALID_ARGUMENT: divide by zero", "divide by zero"),
        ("OUT_OF_RANGE: integer overflow", "out of range"),
        ("UNKNOWN: No matching overloads found : _>_(bool, int64)", "no such operation: _>_(bool, int64)"),
        ("INTERNAL: Iteration budget exceeded [INTERNAL]", "too many iterations"),
        ("INVALID_ARGUMENT: Integer value '99999999999999999999' out of range for 'd'.", "out of range"),
        (
            "INVALID_ARGUMENT: Non-CEL value type for 'd['a'] -> ('hunter2',)': tuple.",
            "a value is not of the type that was declared",
        ),
        ("something nobody has seen: hunter2", "the expression has no value"),
        ("multi\nline hunter2", "the expression has no value"),
        ("", "the expression has no value"),
    ],
)
def test_an_evaluation_error_is_told_without_values(told: str, message: str) -> None:
    """Texts that may quote a value are exchanged for others that do not."""
    assert evaluation_error(told).message == message
