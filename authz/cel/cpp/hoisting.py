"""Parts of an expression that are worked out in Python, before the engine runs the rest.

What calls this project's functions is walked (`division`), and walking a whole expression for one such call in it costs
several times what the engine would take for the rest. So a call that answers yes or no of what a request has, as
`client.ip.inCidr("10.0.0.0/8")` does, is worked out first and becomes a name, bound to its value. It has no value
where the call has none, and reading it is an error then, as it would be in place.

A part stands in no loop, holds none and reads no bytes (a body may be long), so what it costs is small and asked once,
also where the rest would not ask.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from authz._pb.cel.expr.checked_pb2 import Type
from authz._pb.cel.expr.syntax_pb2 import Expr
from authz.cel.tree import walk
from authz.cel.walker.library import OWN
from authz.cel.walker.program import Program

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz._pb.cel.expr.checked_pb2 import CheckedExpr
    from authz.cel.engine import Activation
    from authz.cel.types import CelType

_numbers = count(1)


class Part(NamedTuple):
    """A call that is worked out first, and the name that stands for it; nobody can write such a name."""

    name: str
    program: Program


class Parts:
    """The parts of one expression."""

    __slots__ = ("_first", "_parts")

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self._parts = parts
        self._first = parts[0].name

    def bind(self, activation: Activation) -> None:
        """Bind the names of parts that are not bound there yet; one without a value is left out."""
        if self._first in activation.added:
            return
        values: dict[str, object] = {}
        for part in self._parts:
            value = part.program.holds(activation)
            if value is True or value is False:
                values[part.name] = value
        activation.add(frozenset(part.name for part in self._parts), values)


def hoist(checked: CheckedExpr, variables: Mapping[str, CelType]) -> Parts | None:
    """Take out of a tree what can be worked out first; `None` where that is nothing, or the whole."""
    parts = []
    inside: set[int] = set()
    for visit in walk(checked.expr):
        node = visit.node
        if node.id in inside or not node.HasField("call_expr") or visit.scope or visit.loops:
            continue
        if node.call_expr.function in OWN and _is_of(checked, node, Type.BOOL) and _is_small(checked, node):
            inside.update(below.node.id for below in walk(node))
            parts.append(_taken_out(checked, node, variables))
    return Parts(tuple(parts)) if parts and checked.expr.HasField("call_expr") else None


def _taken_out(checked: CheckedExpr, node: Expr, variables: Mapping[str, CelType]) -> Part:
    """Put a name in the place of a call."""
    call = Expr()
    call.CopyFrom(node)
    part = Part(f"@part{next(_numbers)}", Program(call, variables))
    node.CopyFrom(Expr(id=node.id, ident_expr=Expr.Ident(name=part.name)))
    checked.reference_map[node.id].Clear()
    checked.reference_map[node.id].name = part.name
    return part


def _is_of(checked: CheckedExpr, node: Expr, primitive: int) -> bool:
    type_ = checked.type_map.get(node.id, None)
    return type_ is not None and type_.HasField("primitive") and type_.primitive == primitive


def _is_small(checked: CheckedExpr, node: Expr) -> bool:
    return not any(
        below.node.HasField("comprehension_expr") or _is_of(checked, below.node, Type.BYTES) for below in walk(node)
    )
