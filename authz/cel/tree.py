"""The checked syntax tree of an expression (`cel.expr.CheckedExpr`), walked.

Both engines hand over this tree and run what comes back, so that what was checked is what is evaluated. A node knows
its children and its place; a name inside a comprehension may be the comprehension's own, so a walk carries the names
that are bound where it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from authz._pb.cel.expr.checked_pb2 import Type
from authz.cel.faults import Code, CompileFault
from authz.cel.source import token_length
from authz.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    UINT,
    CelType,
    Kind,
    list_of,
    map_of,
    message,
    optional_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from authz._pb.cel.expr.checked_pb2 import CheckedExpr
    from authz._pb.cel.expr.syntax_pb2 import Constant, Expr

Scope = frozenset[str]
"""The names comprehensions have bound where a node stands."""

NO_SCOPE: Scope = frozenset()


class Visit(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One node of a walk: the names bound there, and how many loops it stands in."""

    node: Expr
    scope: Scope
    loops: int


def walk(node: Expr) -> tuple[Visit, ...]:
    """Return every node below and including `node`, parents first, left to right."""
    found = []
    waiting = [Visit(node=node, scope=NO_SCOPE, loops=0)]
    while waiting:
        visit = waiting.pop()
        found.append(visit)
        waiting.extend(reversed(_below(visit)))
    return tuple(found)


def children(node: Expr, scope: Scope = NO_SCOPE) -> Iterator[tuple[Expr, Scope]]:
    """Yield the nodes directly below one, each with the names bound there."""
    for visit in _below(Visit(node=node, scope=scope, loops=0)):
        yield visit.node, visit.scope


def _below(visit: Visit) -> Sequence[Visit]:
    kind = visit.node.WhichOneof("expr_kind") or ""
    if kind == "comprehension_expr":
        return _below_comprehension(visit)
    operands = _OPERANDS.get(kind)
    if operands is None:
        return ()
    return [Visit(node=node, scope=visit.scope, loops=visit.loops) for node in operands(visit.node)]


def _of_call(node: Expr) -> Sequence[Expr]:
    call = node.call_expr
    return (call.target, *call.args) if call.HasField("target") else call.args


def _of_struct(node: Expr) -> Sequence[Expr]:
    keys = ((entry.map_key, entry.value) if entry.HasField("map_key") else (entry.value,)
            for entry in node.struct_expr.entries)  # fmt: skip
    return [part for parts in keys for part in parts]


_OPERANDS: Mapping[str, Callable[[Expr], Sequence[Expr]]] = {
    "select_expr": lambda node: (node.select_expr.operand,),
    "call_expr": _of_call,
    "list_expr": lambda node: node.list_expr.elements,
    "struct_expr": _of_struct,
}


def _below_comprehension(visit: Visit) -> Sequence[Visit]:
    """Return the parts of a comprehension: range and start see what is outside, the loop its names, the result one."""
    loop, result = names_bound(visit.node, visit.scope)
    parts = visit.node.comprehension_expr
    deeper = visit.loops + is_loop(visit.node)
    return (
        Visit(node=parts.iter_range, scope=visit.scope, loops=visit.loops),
        Visit(node=parts.accu_init, scope=visit.scope, loops=visit.loops),
        Visit(node=parts.loop_condition, scope=loop, loops=deeper),
        Visit(node=parts.loop_step, scope=loop, loops=deeper),
        Visit(node=parts.result, scope=result, loops=visit.loops),
    )


def names_bound(node: Expr, scope: Scope) -> tuple[Scope, Scope]:
    """Return the names bound in the loop of a comprehension, and in its result."""
    parts = node.comprehension_expr
    result = scope | {parts.accu_var}
    return result | {name for name in (parts.iter_var, parts.iter_var2) if name}, result


def is_loop(node: Expr) -> bool:
    """Return whether a comprehension runs over something; `cel.bind` is one that never runs."""
    iterated = node.comprehension_expr.iter_range
    return not (iterated.HasField("list_expr") and not iterated.list_expr.elements)


def free_name(node: Expr, scope: Scope) -> str | None:
    """Return the name of an identifier that no comprehension has bound."""
    name = node.ident_expr.name if node.HasField("ident_expr") else ""
    return name if name and name not in scope else None


ConstantKind = Literal[
    "null_value", "bool_value", "int64_value", "uint64_value", "double_value", "string_value", "bytes_value"
]


def literal(constant: Constant) -> str | int | float | bool | bytes | None:
    """Return the Python value of a constant."""
    kind: ConstantKind = constant.WhichOneof("constant_kind")
    return None if kind == "null_value" else getattr(constant, kind)


def text(node: Expr) -> str | None:
    """Return the text of a string literal, or `None` for anything else."""
    constant = node.const_expr if node.HasField("const_expr") else None
    return constant.string_value if constant and constant.HasField("string_value") else None


_PRIMITIVES = {
    Type.BOOL: BOOL, Type.INT64: INT, Type.UINT64: UINT, Type.DOUBLE: DOUBLE, Type.STRING: STRING, Type.BYTES: BYTES,
}  # fmt: skip
_WELL_KNOWN = {Type.TIMESTAMP: TIMESTAMP, Type.DURATION: DURATION}


def type_of(checked: CheckedExpr, node: Expr) -> CelType:
    """Return the type the checker found for a node; it leaves out those that are dyn."""
    return _type(checked.type_map[node.id]) if node.id in checked.type_map else DYN


def _type(found: Type) -> CelType:
    reader = _TYPES.get(found.WhichOneof("type_kind") or "")
    return reader(found) if reader else DYN


_TYPES: dict[str, Callable[[Type], CelType]] = {
    "primitive": lambda found: _PRIMITIVES[found.primitive],
    "well_known": lambda found: _WELL_KNOWN.get(found.well_known, DYN),
    "list_type": lambda found: list_of(_type(found.list_type.elem_type)),
    "map_type": lambda found: map_of(_type(found.map_type.key_type), _type(found.map_type.value_type)),
    "message_type": lambda found: message(found.message_type),
    "null": lambda _: NULL,
    "type": lambda _: CelType(kind=Kind.TYPE),
    "abstract_type": lambda found: optional_of(*map(_type, found.abstract_type.parameter_types)),
}
"""How the types of a checked tree are read; all that are not here are dyn. The only abstract type is the optional."""


class Places:
    """Where the nodes of one expression stand in its text."""

    def __init__(self, checked: CheckedExpr, written: str) -> None:
        self._positions = checked.source_info.positions
        self._written = written

    def fault(self, node: Expr, code: Code, message: str, hint: str = "") -> CompileFault:
        """Return a fault at the place of a node."""
        return at(self._written, self._positions.get(node.id, 0), code, message, hint)

    def whole(self, code: Code, message: str, hint: str = "") -> CompileFault:
        """Return a fault of the expression as a whole."""
        length = len(self._written.partition("\n")[0])
        return CompileFault(length=max(1, length), code=code, message=message, hint=hint)

    def offset(self, node: Expr) -> int:
        """Return the code point offset of a node."""
        return self._positions.get(node.id, 0)


def at(written: str, offset: int, code: Code, message: str, hint: str = "", length: int = 0) -> CompileFault:
    """Return a fault at an offset of a text; without a length it is as long as the token there."""
    length = length or token_length(written, offset)
    line = written.count("\n", 0, offset) + 1
    column = offset - written.rfind("\n", 0, offset)
    return CompileFault(line=line, column=column, length=length, code=code, message=message, hint=hint)
