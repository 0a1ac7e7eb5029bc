"""What is exchanged in a checked tree before it is evaluated; the answer stays, what it costs does not.

* `now()` becomes `request.time`: no engine can declare a function without arguments.
* `x.matches("...")` asks an RE2 compiled once: the engine compiles the pattern on every evaluation.
* `x in data.users` of a `STRING_SET` looks up in the index bound beside the list: a list is scanned.
* `x.replace(...)` and `x.join(...)` get a bound on the result: they multiply the lengths of their inputs.
* `x.map(...)` and `x.filter(...)` get a bound on the list they make: appending takes time that grows with it.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from authz._pb.cel.expr.syntax_pb2 import Constant, Expr
from authz.cel.functions import INTERNAL, MAX_LIST
from authz.cel.source import NOW
from authz.cel.tree import free_name, is_loop, walk

if TYPE_CHECKING:
    from collections.abc import Collection

    from authz._pb.cel.expr.checked_pb2 import CheckedExpr
    from authz.cel.tree import Scope

TIME = "request.time"
"""What `now()` stands for."""

_OVERLOADS = {
    (function.name, len(overload.parameters)): overload.id for function in INTERNAL for overload in function.overloads
}


def index_name(variable: str) -> str:
    """Return the name under which the index of a `STRING_SET` variable is bound; nobody can write it."""
    return f"@{variable}"


def rewrite(checked: CheckedExpr, hashed: Collection[str]) -> None:
    """Exchange in place what the table above says; `hashed` are the variables that are bound with an index."""
    rewriter = _Rewriter(checked, hashed)
    for visit in tuple(walk(checked.expr)):
        rewriter.node(visit.node, visit.scope)


class _Rewriter:
    def __init__(self, checked: CheckedExpr, hashed: Collection[str]) -> None:
        self._references = checked.reference_map
        self._hashed = hashed
        self._ids = count(max(checked.source_info.positions, default=0) + 1)

    def node(self, node: Expr, scope: Scope) -> None:
        match node.WhichOneof("expr_kind"):
            case "ident_expr" if free_name(node, scope) == NOW:
                self._rename(node, TIME)
            case "call_expr":
                self._call(node, scope)
            case "comprehension_expr" if is_loop(node) and node.comprehension_expr.accu_init.HasField("list_expr"):
                self._bound(node)

    def _call(self, node: Expr, scope: Scope) -> None:
        call = node.call_expr
        match call.function:
            case "matches" | "replace" | "join":
                self._exchange(node)
            case "@in" if free_name(call.args[1], scope) in self._hashed:
                self._rename(call.args[1], index_name(call.args[1].ident_expr.name))
                self._refer(node, "in_map")

    def _exchange(self, node: Expr) -> None:
        """Call the function of `INTERNAL` instead of the engine's; `matches` may also be written as a function."""
        call = node.call_expr
        if not call.HasField("target"):
            call.target.CopyFrom(call.args.pop(0))
        call.function = f"@{call.function}"
        self._refer(node, _OVERLOADS[call.function, len(call.args) + 1])

    def _bound(self, node: Expr) -> None:
        """Leave the loop when the list is too long, and then let the result be an error."""
        parts = node.comprehension_expr
        name = parts.accu_var
        parts.loop_condition.CopyFrom(self._short_enough(name))
        short = self._short_enough(name)
        too_many = self._made("@too_many", "too_many_list", self._name(name))
        parts.result.CopyFrom(self._made("_?_:_", "conditional", short, self._name(name), too_many))

    def _short_enough(self, name: str) -> Expr:
        size = self._made("size", "size_list", self._name(name))
        limit = Expr(id=next(self._ids), const_expr=Constant(int64_value=MAX_LIST))
        return self._made("_<=_", "less_equals_int64", size, limit)

    def _name(self, name: str) -> Expr:
        return Expr(id=next(self._ids), ident_expr=Expr.Ident(name=name))

    def _made(self, function: str, overload: str, *arguments: Expr) -> Expr:
        made = Expr(id=next(self._ids), call_expr=Expr.Call(function=function, args=arguments))
        self._refer(made, overload)
        return made

    def _rename(self, node: Expr, name: str) -> None:
        node.ident_expr.name = name
        self._references[node.id].name = name

    def _refer(self, node: Expr, overload: str) -> None:
        self._references[node.id].overload_id[:] = [overload]
