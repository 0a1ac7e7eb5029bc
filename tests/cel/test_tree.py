"""Walking the checked tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.cel.faults import Code
from authz.cel.tree import Places, at, free_name, is_loop, literal, text, type_of, walk
from authz.cel.types import BOOL, DYN, STRING, list_of, map_of, optional_of

if TYPE_CHECKING:
    from authz._pb.cel.expr.checked_pb2 import CheckedExpr
    from authz.cel import Environment


def checked(environment: Environment, source: str) -> CheckedExpr:
    """Return the tree an engine makes of an expression."""
    return environment._engine.check(source)


def test_a_walk_visits_every_node_parents_first(environment: Environment) -> None:
    """A walk goes through operands, lists, maps and the parts of loops."""
    tree = checked(environment, "{'k': [i]}.k == d.x ? s : l.filter(y, y == 'b')[0]")
    names = [visit.node.ident_expr.name for visit in walk(tree.expr) if visit.node.HasField("ident_expr")]
    assert [name for name in names if not name.startswith("@")] == ["i", "d", "s", "l", "y", "y"]


def test_a_name_in_a_loop_is_the_loops_own(environment: Environment) -> None:
    """A comprehension's names are bound in its body and nowhere else."""
    tree = checked(environment, "[s].all(s, s == 'a') || s == 'b'")
    free = [visit.node.ident_expr.name for visit in walk(tree.expr) if free_name(visit.node, visit.scope)]
    assert free == ["s", "s"]


def test_loops_are_counted_and_bindings_are_none(environment: Environment) -> None:
    """A node knows how many loops it stands in; `cel.bind` never runs."""
    tree = checked(environment, "cel.bind(x, 1, [1].all(a, [2].all(b, a + b + x > 0)))")
    loops = {visit.node.ident_expr.name: visit.loops for visit in walk(tree.expr) if visit.node.HasField("ident_expr")}
    assert (loops["a"], loops["b"], loops["x"]) == (2, 2, 2)
    assert not is_loop(tree.expr)


def test_types_are_read_from_the_tree(first: Environment) -> None:
    """The type of a node is the checker's; what it leaves out is dyn."""
    for source, type_ in (
        ("s == 'a'", BOOL),
        ("d", DYN),
        ("[s]", list_of(STRING)),
        ("m", map_of(STRING, STRING)),
        ("m[?'a']", optional_of(STRING)),
    ):
        tree = checked(first, source)
        assert type_of(tree, tree.expr) == type_


def test_a_literal_is_a_python_value(environment: Environment) -> None:
    """Constants have the value that was written."""
    for source, value in (("'a'", "a"), ("1", 1), ("1.5", 1.5), ("true", True), ("b'a'", b"a"), ("null", None)):
        assert literal(checked(environment, source).expr.const_expr) == value
    assert text(checked(environment, "'a'").expr) == "a"
    assert text(checked(environment, "1").expr) is None


def test_a_fault_stands_where_the_node_stands(environment: Environment) -> None:
    """Places count lines and columns from 1, in code points, and underline the token."""
    source = "'😀' == s &&\n  s == 'long'"
    tree = checked(environment, source)
    node = next(visit.node for visit in walk(tree.expr) if text(visit.node) == "long")
    fault = Places(tree, source).fault(node, Code.TYPE, "x")
    assert (fault.line, fault.column, fault.length) == (2, 8, 6)
    assert at(source, 7, Code.TYPE, "x").column == 8
