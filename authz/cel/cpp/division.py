"""Which expressions the C++ engine runs, and which it only checks: those are walked in Python.

Measured of `cel-expr-python` 0.1.3. Each call of a Python function leaks its arguments and its result: 125 bytes for a
short text, and a body for `hash.sha256(request.body)`. So what calls this project's functions is walked. And its budget
counts turns of loops, not what they cost: `a.all(x, x in b)` of two lists of ten thousand takes half a second. So what
asks, in a loop, something of a value whose size the caller chooses is walked too, where size is charged to the budget.
And `s.substring(1, s.size())` is an error to it. Everything else is linear in its input, and the engine's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.cel.tree import free_name, walk
from authz.cel.walker.library import OWN
from authz.cel.walker.program import SIZED

if TYPE_CHECKING:
    from authz._pb.cel.expr.checked_pb2 import CheckedExpr
    from authz._pb.cel.expr.syntax_pb2 import Expr
    from authz.cel.tree import Scope, Visit

_STEPS = frozenset({"_[_]", "_[?_]", "_?._"})


def is_walked(checked: CheckedExpr) -> bool:
    """Return whether an expression, after `rewrite`, is one the engine does not run."""
    return any(_is_walked(visit) for visit in walk(checked.expr) if visit.node.HasField("call_expr"))


def _is_walked(visit: Visit) -> bool:
    call = visit.node.call_expr
    if call.function in OWN or call.function == "substring":
        return True
    if not visit.loops or call.function not in SIZED:
        return False
    operands = (call.target, *call.args) if call.HasField("target") else call.args
    return any(_is_from_outside(operand, visit.scope) for operand in operands)


def _is_from_outside(node: Expr, scope: Scope) -> bool:
    """Return whether a value is a variable's, or part of one, rather than the loop's own."""
    while True:
        if node.HasField("select_expr"):
            node = node.select_expr.operand
        elif node.HasField("call_expr") and node.call_expr.function in _STEPS:
            node = node.call_expr.args[0]
        else:
            return free_name(node, scope) is not None
