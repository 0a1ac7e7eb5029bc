"""What is checked of an expression when it is loaded (threats C8, C10, C12, C13, C15, C16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.cel import BOOL, STRING, Code, CompileError
from authz.cel.checks import MAX_LOOPS, MAX_NODES

if TYPE_CHECKING:
    from authz.cel import CelType, CompileFault, Environment


def faults(environment: Environment, source: str, expect: CelType | None = None) -> tuple[CompileFault, ...]:
    """Return the faults of an expression, none if it compiles."""
    try:
        environment.compile(source, expect=expect)
    except CompileError as error:
        return error.faults
    return ()


@pytest.mark.parametrize(
    ("source", "code", "column", "length"),
    [
        ("s.matches(s)", Code.LITERAL, 11, 1),
        ("s.matches('a' + 'b')", Code.LITERAL, None, None),
        ("matches(s, s)", Code.LITERAL, 12, 1),
        ("s.matches('(')", Code.PATTERN, 11, 3),
        ("s.matches('a{1001}')", Code.PATTERN, 11, 9),
        ("s.matches('(((a{100}){100}){100}')", Code.PATTERN, 11, 23),
        ("s.inCidr(s)", Code.LITERAL, 10, 1),
        ("s.inCidr('10.0.0.1/8')", Code.PATTERN, 10, 12),
        ("s.inCidr('nonsense')", Code.PATTERN, 10, 10),
        ("s.glob('a')", Code.PATTERN, 8, 3),
        ("s.glob('/a*')", Code.PATTERN, 8, 5),
        ("s.format([1])", Code.LITERAL, None, None),
        ("t > timestamp('tomorrow')", Code.PATTERN, 15, 10),
        ("t.getHours('Europe/Berln') == 8", Code.PATTERN, 12, 14),
        ("t.getDayOfWeek('Mars') == 1", Code.PATTERN, 16, 6),
        ("t.getDate('\\u0000') == 1", Code.PATTERN, 11, 8),
        ("duration('1 day') > duration('1s')", Code.PATTERN, 10, 7),
        ("has(s)", Code.PRESENCE, 5, 1),
        ("has(request.method)", Code.PRESENCE, 5, 14),
        ("now == t", Code.UNDECLARED, 1, 3),
    ],
)
def test_a_fault_has_a_code_and_a_place(
    environment: Environment, source: str, code: Code, column: int | None, length: int | None
) -> None:
    """Patterns are literals and good ones (C10), written times are times, and the caret stands under what is wrong."""
    (fault,) = faults(environment, source)
    assert fault.code is code
    if column is not None:
        assert (fault.line, fault.column, fault.length) == (1, column, length)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Argentina/Buenos_Aires", "UTC", "+05:30", "-08:00"])
def test_time_zones_that_there_are_pass(environment: Environment, zone: str) -> None:
    """Names of the IANA database and offsets; a computed one is known when it is computed."""
    environment.compile(f"t.getHours('{zone}') == 8 && t.getHours(s) == 8 && t.getHours() == 8")


def test_all_checks_run(environment: Environment) -> None:
    """Every fault is reported at once."""
    found = faults(environment, "s.matches('(') || s.inCidr('x') || has(request.json)")
    assert [fault.column for fault in found] == [11, 28, 40]


def test_the_result_is_of_the_type_that_is_expected(environment: Environment) -> None:
    """A condition of another type is a fault (C2); what is only known at run time passes."""
    assert faults(environment, "s", BOOL)[0].message == "the result is string, bool is expected"
    assert faults(environment, "s == 'a'", STRING)[0].code is Code.TYPE
    assert faults(environment, "d.x", BOOL) == ()
    assert faults(environment, "m[?'a']")[0].hint == "end it with .orValue(...)"


def test_loops_inside_loops_are_bounded(environment: Environment) -> None:
    """Two levels of loops are allowed, a third is a fault (C12)."""
    loops = "true"
    for level in range(MAX_LOOPS):
        loops = f"[1].all(x{level}, {loops})"
    assert faults(environment, loops) == ()
    assert faults(environment, f"[1].all(x, {loops})")[0].code is Code.NESTING
    assert faults(environment, " && ".join([loops] * 4)) == ()


def test_bindings_cannot_pile_up(environment: Environment) -> None:
    """Nested `cel.bind` that doubles its input is a fault before it is a gigabyte (C12)."""
    doubled = "s"
    for level in range(7):
        doubled = f"cel.bind(v{level}, {doubled}, v{level} + v{level})"
    assert Code.GROWTH in {fault.code for fault in faults(environment, doubled)}
    assert faults(environment, "cel.bind(a, s + s, cel.bind(b, a.size(), b + b + b > 1))") == ()
    long = f"cel.bind(a, '{'x' * 900}', cel.bind(b, a + a + a + a, cel.bind(c, b + b + b + b, c + c + c + c + c)))"
    assert faults(environment, long)[0].code is Code.GROWTH


@pytest.mark.parametrize(
    "source",
    ["(" * 100 + "1" + ")" * 100, "[" * 50 + "1" + "]" * 50, "+".join(["1"] * 800), "1" + ".a" * 400, "-" * 4000 + "1"],
)
def test_deep_expressions_do_not_end_the_process(environment: Environment, source: str) -> None:
    """What the parser would recurse on is a fault, or an expression like any other (C13)."""
    for fault in faults(environment, source):
        assert fault.code in {Code.SIZE, Code.ENGINE, Code.TYPE, Code.SYNTAX}


def test_a_long_alternative_is_no_deep_one(environment: Environment) -> None:
    """Hundreds of alternatives are fine."""
    assert faults(environment, " || ".join(f"s == '{number}'" for number in range(300))) == ()


def test_the_size_of_the_tree_is_bounded(environment: Environment) -> None:
    """`optMap` doubles what it stands on; the tree may not become huge."""
    chain = "m[?'a']" + ".optMap(x, x)" * 9 + ".hasValue()"
    assert faults(environment, chain)[0].message == f"the expression has more than {MAX_NODES} parts"


def test_undeclared_names_are_faults_even_where_they_are_never_read(environment: Environment) -> None:
    """`true || reqeust.path == ''` does not hide its slip (C15, C16)."""
    (fault,) = faults(environment, "true || reqeust.path == ''")
    assert (fault.code, fault.column, fault.length) == (Code.UNDECLARED, 9, 12)
    assert fault.hint == 'did you mean "request.path"?'
