"""From the parse to the checked tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.cel import Code, CompileError

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
        ("'😀' == requst.path", (1, 8, 11), 'undeclared variable "requst.path"', 'did you mean "request.path"?'),
        ("s.startWith('a')", (1, 3, 9), 'undeclared function "startWith"', 'did you mean "startsWith"?'),
        ("s.matches('a', 'b')", (1, 3, 7), '"matches" is not called like this', ""),
        ("startsWith(s, 'a')", (1, 1, 10), '"startsWith" is not called like this', ""),
        ("s.size(1)", (1, 3, 4), '"size" is not called like this', ""),
        ("request.mcp.tol == ''", (1, 13, 3), 'no field "tol" in authz.v1.Mcp', 'did you mean "tool"?'),
        ("s == 1", (1, 3, 2), '"==" does not take (string, int)', "convert one of them: string(...), int(...)"),
        ("s.contains(1)", (1, 3, 8), '"contains" does not take (string, int)', ""),
        ("t + 1", (1, 3, 1), '"+" does not take (timestamp, int)', ""),
        ("'a' in s", (1, 5, 2), '"in" does not take (string, string)', "write text.contains(part)"),
        ("s.length", (1, 3, 6), "string has no fields", ""),
        ("as == 1", (1, 1, 2), 'syntax error: "as" is a reserved word', ""),
        ("d.in", (1, 3, 2), 'syntax error: unexpected "in"', ""),
        ("9223372036854775808", (1, 1, 19), "syntax error: the number does not fit an int", ""),
        ("[1].all(a.b, true)", (1, 9, 1), "syntax error: a name is expected", ""),
        ("cel.bind(a, 1)", (1, 1, 3), "it is cel.bind(name, value, expression)", ""),
        ("has(1)", (1, 1, 3), "has() asks for a key: has(map.key)", ""),
    ],
)
def test_a_fault_says_what_and_where(
    second: Environment, source: str, place: tuple[int, int, int], message: str, hint: str
) -> None:
    """The faults of this engine read as those of the other."""
    fault = faults(second, source)[0]
    assert (fault.line, fault.column, fault.length) == place
    assert (fault.message, fault.hint) == (message, hint)


def test_all_faults_are_told(second: Environment) -> None:
    """Lowering goes on after a fault."""
    assert [fault.column for fault in faults(second, "foo == 1 && bar == 2 && s == 3")] == [1, 13, 27]


def test_what_this_engine_does_not_have_is_told_apart(second: Environment) -> None:
    """Making messages is not supported rather than wrong."""
    assert faults(second, "google.protobuf.Struct{} == d")[0].code is Code.UNSUPPORTED


@pytest.mark.parametrize(
    ("source", "type_"),
    [
        ("s == 'a'", "bool"),
        ("s + 'a'", "string"),
        ("s.size() + 1", "int"),
        ("m['a']", "string"),
        ("m.a", "string"),
        ("d.a", "dyn"),
        ("[s, 'a']", "list(string)"),
        ("[s, 1]", "list(dyn)"),
        ("{'a': 1}", "map(string, int)"),
        ("l.map(x, x.size())", "list(int)"),
        ("l.filter(x, x == 'a')", "list(string)"),
        ("l.exists(x, x == 'a')", "bool"),
        ("cel.bind(x, s, x)", "string"),
        ("true ? 1 : 2", "int"),
        ("attributes.request.http.size", "int"),
        ("t - t", "dyn"),
        ("-1.5", "double"),
        ("type(1)", "dyn"),
        ("hasAny(l, l)", "bool"),
    ],
)
def test_types_are_known_where_they_can_be(second: Environment, source: str, type_: str) -> None:
    """What is known of a type is enough to know conditions and texts."""
    assert str(second.compile(source).type) == type_


def test_a_name_is_the_longest_that_is_declared(second: Environment) -> None:
    """What follows a variable is selected from it, and a loop's name hides none that is dotted."""
    assert [str(read) for read in second.compile("identity.claims.a.b").reads] == ['identity.claims["a"]["b"]']
    assert second.compile("[{'a': 1}].all(d, d.a == 1)").variables == frozenset()
    assert second.compile(".s == 'a'").variables == {"s"}
