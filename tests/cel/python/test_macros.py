"""The macros of the Python engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.cel.tree import walk

if TYPE_CHECKING:
    from authz._pb.cel.expr.syntax_pb2 import Expr
    from authz.cel import Environment


def shape(node: Expr) -> list[str]:
    """Return what a tree consists of, without ids, types and places."""
    parts = []
    for visit in walk(node):
        kind = str(visit.node.WhichOneof("expr_kind"))
        name = visit.node.call_expr.function or visit.node.ident_expr.name or visit.node.select_expr.field
        parts.append(f"{kind} {name} {visit.loops}")
    return parts


@pytest.mark.parametrize(
    "source",
    [
        "l.all(x, x == 'a')",
        "l.exists(x, x == 'a')",
        "l.exists_one(x, x == 'a')",
        "l.map(x, x + 'a')",
        "l.map(x, x == 'a', x + 'a')",
        "l.filter(x, x == 'a')",
        "cel.bind(x, s, x + x)",
        "d[?'a'].optMap(x, x.b)",
        "d[?'a'].optFlatMap(x, x[?'b'])",
        "has(d.a.b)",
        "d.?a.?b",
        "request.headers[?'a'].orValue('')",
    ],
)
def test_a_macro_is_expanded_as_the_first_engine_expands_it(
    first: Environment, second: Environment, source: str
) -> None:
    """Both engines make the same tree, so that one set of checks and rewrites fits both."""
    trees = [environment._engine.check(source).expr for environment in (first, second)]
    assert shape(trees[0]) == shape(trees[1])
