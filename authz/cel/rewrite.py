"""What is exchanged in a checked tree before it is evaluated; the answer stays, what it costs does not.

* `now()` becomes `request.time`: no engine can declare a function without arguments.
* `x.matches("...")` asks an RE2 compiled once: the engine compiles the pattern on every evaluation.
* What is asked of an indexed value (`types.STRING_SET`, `STRING_MAP`, `NETWORK_SET`) is asked by its number: engines
  take over lists and maps entry by entry.
* A field of `Geo` that is not set is a name without a value: protobuf would take it for empty.
* `x.replace(...)` and `x.join(...)` get a bound on the result: they multiply the lengths of their inputs.
* `x.map(...)` and `x.filter(...)` get a bound on the list they make: appending takes time that grows with it.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from authz._pb.cel.expr.syntax_pb2 import Constant, Expr
from authz.cel.functions import INTERNAL
from authz.cel.names import MAX_LIST, TOO_MANY
from authz.cel.source import NOW
from authz.cel.tree import free_name, is_loop, type_of
from authz.cel.types import Kind, message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from authz._pb.cel.expr.checked_pb2 import CheckedExpr
    from authz.cel.tree import Scope, Visit
    from authz.cel.types import CelType

TIME = "request.time"
"""What `now()` stands for."""

GEO = message("authz.v1.Geo")
"""Where an address is: only what is known of it is set."""

_OVERLOADS: dict[tuple[str, int], list[str]] = {}
for _function in INTERNAL:
    for _overload in _function.overloads:
        _OVERLOADS.setdefault((_function.name, len(_overload.parameters)), []).append(_overload.id)
_OVERLOADS |= {
    ("size", 1): ["size_list"],
    ("_<=_", 2): ["less_equals_int64"],
    ("_?_:_", 3): ["conditional"],
    ("optional.of", 1): ["optional_of"],
    ("optional.none", 0): ["optional_none"],
}


def number_name(variable: str) -> str:
    """Return the name under which the number of an indexed variable is bound; nobody can write it."""
    return f"@{variable}"


def rewrite(checked: CheckedExpr, visits: Sequence[Visit], variables: Mapping[str, CelType]) -> None:
    """Exchange in place what the list above says, from the leaves up; `visits` are all nodes of the tree."""
    rewriter = _Rewriter(checked, variables)
    for visit in reversed(visits):
        rewriter.node(visit.node, visit.scope)


class _Rewriter:
    def __init__(self, checked: CheckedExpr, variables: Mapping[str, CelType]) -> None:
        self._checked = checked
        self._references = checked.reference_map
        self._indexed = {name: type_.kind for name, type_ in variables.items() if type_.indexed}
        self._ids = count(max(checked.source_info.positions, default=0) + 1)

    def node(self, node: Expr, scope: Scope) -> None:
        """Exchange one node, its operands being done."""
        match node.WhichOneof("expr_kind"):
            case "ident_expr" if free_name(node, scope) == NOW:
                node.ident_expr.name = self._references[node.id].name = TIME
            case "select_expr":
                self._select(node, scope)
            case "call_expr":
                self._call(node, scope)
            case "comprehension_expr" if is_loop(node) and node.comprehension_expr.accu_init.HasField("list_expr"):
                self._bound(node)

    def _select(self, node: Expr, scope: Scope) -> None:
        select = node.select_expr
        if (number := self._number(select.operand, scope, Kind.MAP)) is not None:
            key = Expr(id=next(self._ids), const_expr=Constant(string_value=select.field))
            self._replace(node, "@has_entry" if select.test_only else "@entry", key, number)
        elif not select.test_only and type_of(self._checked, select.operand) == GEO:
            self._known(node)

    def _known(self, node: Expr) -> None:
        """Let a field that is not set be a name that has no value."""
        there, value = Expr(), Expr()
        there.CopyFrom(node)
        there.id, there.select_expr.test_only = next(self._ids), True
        value.CopyFrom(node)
        value.id = next(self._ids)
        self._replace(node, "_?_:_", there, value, self._name(f"@{node.select_expr.field}"))

    def _call(self, node: Expr, scope: Scope) -> None:
        call = node.call_expr
        operands = [call.target, *call.args] if call.HasField("target") else list(call.args)
        match call.function:
            case "matches" | "replace" | "join":
                self._replace(node, f"@{call.function}", *operands[1:], target=operands[0])
            case "_[_]" if (number := self._number(operands[0], scope, Kind.MAP)) is not None:
                self._replace(node, "@entry", operands[1], number)
            case "_[?_]" | "_?._" if (number := self._number(operands[0], scope, Kind.MAP)) is not None:
                self._optional_entry(node, operands[1], number)
            case "@in":
                self._membership(node, scope, *operands)
            case "inSet" if (number := self._number(operands[1], scope, Kind.MESSAGE)) is not None:
                self._replace(node, "@in_networks", number, target=operands[0])
            case "hasAny" | "hasAll":
                self._overlap(node, scope, *operands)

    def _membership(self, node: Expr, scope: Scope, element: Expr, container: Expr) -> None:
        for kind, function in ((Kind.LIST, "@in_strings"), (Kind.MAP, "@has_key")):
            if (number := self._number(container, scope, kind)) is not None:
                self._replace(node, function, element, number)

    def _overlap(self, node: Expr, scope: Scope, left: Expr, right: Expr) -> None:
        if (number := self._number(left, scope, Kind.LIST)) is not None:
            every = node.call_expr.function == "hasAll"
            self._replace(node, "@all_in_strings" if every else "@any_in_strings", right, number)
        elif node.call_expr.function == "hasAny" and (number := self._number(right, scope, Kind.LIST)) is not None:
            self._replace(node, "@any_in_strings", left, number)

    def _optional_entry(self, node: Expr, key: Expr, number: Expr) -> None:
        there = self._made("@has_entry", key, number)
        entry = self._made("optional.of", self._made("@entry", key, number))
        self._replace(node, "_?_:_", there, entry, self._made("optional.none"))

    def _number(self, node: Expr, scope: Scope, kind: Kind) -> Expr | None:
        """Return what stands for the number of an indexed variable of a kind, `None` for anything else."""
        name = free_name(node, scope)
        return self._name(number_name(name)) if name is not None and self._indexed.get(name) is kind else None

    def _bound(self, node: Expr) -> None:
        """Leave the loop when the list is too long, and then let the result be a name that has no value."""
        parts = node.comprehension_expr
        name = parts.accu_var
        parts.loop_condition.CopyFrom(self._short_enough(name))
        too_many = self._name(TOO_MANY)
        parts.result.CopyFrom(self._made("_?_:_", self._short_enough(name), self._name(name), too_many))

    def _short_enough(self, name: str) -> Expr:
        limit = Expr(id=next(self._ids), const_expr=Constant(int64_value=MAX_LIST))
        return self._made("_<=_", self._made("size", self._name(name)), limit)

    def _name(self, name: str) -> Expr:
        return Expr(id=next(self._ids), ident_expr=Expr.Ident(name=name))

    def _replace(self, node: Expr, function: str, *arguments: Expr, target: Expr | None = None) -> None:
        """Make a node the call of another function; it keeps its id, and so its place and type."""
        made = self._made(function, *arguments, target=target, id_=node.id)
        node.CopyFrom(made)

    def _made(self, function: str, *arguments: Expr, target: Expr | None = None, id_: int = 0) -> Expr:
        call = Expr.Call(function=function, args=arguments, target=target)
        made = Expr(id=id_ or next(self._ids), call_expr=call)
        overloads = _OVERLOADS[function, len(arguments) + (target is not None)]
        self._references[made.id].Clear()
        self._references[made.id].overload_id.extend(overloads)
        return made
