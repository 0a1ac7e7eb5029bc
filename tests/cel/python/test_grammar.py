"""The parser of the Python engine."""

from __future__ import annotations

import pytest

from authz.cel import CompileError
from authz.cel.python.grammar import parse


@pytest.mark.parametrize(
    "text",
    [
        "a && b || c ? d : e", "a.b[c].f(d)", "a.?b[?c]", "x-1", "1-1", "- -1", "!a",
        "r'\\' + \"\\\"\"", "'''a\nb'''", "{'a': 1}[b]", "a // comment", "a ?.5 : b", "a in b", "true",
        "index", "a.b{c: 1}",
    ],
)  # fmt: skip
def test_the_syntax_of_cel_is_read(text: str) -> None:
    """Operators, macros, optionals and every kind of text parse."""
    assert parse(text).data == "expr"


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a ==", 1, 5, "syntax error: unexpected end of the expression"),
        ("a &&\n", 2, 1, "syntax error: unexpected end of the expression"),
        ("a = b", 1, 3, 'syntax error: unexpected "="'),
        ("a and b", 1, 3, 'syntax error: unexpected "and"'),
        ("a &&\n b c", 2, 4, 'syntax error: unexpected "c"'),
        ("'abc", 1, 1, "syntax error: this text is not closed, or has an escape that is none"),
        ("(a", 1, 3, "syntax error: unexpected end of the expression"),
        ("", 1, 1, "syntax error: unexpected end of the expression"),
    ],
)
def test_a_syntax_error_has_a_place(text: str, line: int, column: int, message: str) -> None:
    """The fault reads as that of the other engine."""
    with pytest.raises(CompileError) as caught:
        parse(text)
    (fault,) = caught.value.faults
    assert (fault.line, fault.column, fault.message) == (line, column, message)
