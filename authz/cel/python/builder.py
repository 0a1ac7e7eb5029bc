"""Building the checked tree: nodes with ids, places and, as far as they are known, types.

The types are those of variables, literals, operators and functions with one result; everything else is dyn. That is
enough to know what an expression reads and whether its result is a bool, and not enough to check overloads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.empty_pb2 import Empty

from authz._pb.cel.expr.checked_pb2 import CheckedExpr, Type
from authz._pb.cel.expr.syntax_pb2 import Constant, Expr
from authz.cel.types import BOOL, BYTES, DOUBLE, DYN, INT, NULL, STRING, UINT, CelType, Kind, list_of, map_of
from authz.cel.walker.values import Uint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_PRIMITIVES = {
    Kind.BOOL: Type.BOOL, Kind.INT: Type.INT64, Kind.UINT: Type.UINT64,
    Kind.DOUBLE: Type.DOUBLE, Kind.STRING: Type.STRING, Kind.BYTES: Type.BYTES,
}  # fmt: skip
_WELL_KNOWN = {Kind.TIMESTAMP: Type.TIMESTAMP, Kind.DURATION: Type.DURATION}
_CONSTANTS: Mapping[type, tuple[CelType, Callable[..., Constant]]] = {
    type(None): (NULL, lambda _: Constant(null_value=0)),  # type: ignore[arg-type]  # the one null there is
    bool: (BOOL, lambda value: Constant(bool_value=value)),
    int: (INT, lambda value: Constant(int64_value=value)),
    Uint: (UINT, lambda value: Constant(uint64_value=int(value))),
    float: (DOUBLE, lambda value: Constant(double_value=value)),
    str: (STRING, lambda value: Constant(string_value=value)),
    bytes: (BYTES, lambda value: Constant(bytes_value=value)),
}


class Builder:
    """Makes the nodes of one tree; every method takes the place of what it makes, as an offset in the text."""

    def __init__(self) -> None:
        self._checked = CheckedExpr()
        self._types: dict[int, CelType] = {}

    def finished(self, root: Expr) -> CheckedExpr:
        """Return the tree."""
        self._checked.expr.CopyFrom(root)
        for id_, type_ in self._types.items():
            if type_.kind is not Kind.DYN:
                self._checked.type_map[id_].CopyFrom(_encoded(type_))
        return self._checked

    def type_of(self, node: Expr) -> CelType:
        """Return what is known of the type of a node made here."""
        return self._types[node.id]

    def constant(self, value: object, at: int) -> Expr:
        """Return a literal."""
        type_, constant = _CONSTANTS[type(value)]
        return Expr(id=self._id(at, type_), const_expr=constant(value))

    def name(self, name: str, at: int, type_: CelType = DYN) -> Expr:
        """Return an identifier."""
        return Expr(id=self._id(at, type_), ident_expr=Expr.Ident(name=name))

    def select(self, operand: Expr, field: str, at: int, type_: CelType = DYN, *, test_only: bool = False) -> Expr:
        """Return a selection, or the question whether it is there."""
        selected = Expr.Select(operand=operand, field=field, test_only=test_only)
        return Expr(id=self._id(at, type_), select_expr=selected)

    def call(
        self, function: str, arguments: Sequence[Expr], at: int, type_: CelType = DYN, *, target: Expr | None = None
    ) -> Expr:
        """Return a call."""
        return Expr(id=self._id(at, type_), call_expr=Expr.Call(target=target, function=function, args=arguments))

    def list(self, elements: Sequence[Expr], at: int) -> Expr:
        """Return a list literal."""
        type_ = list_of(self._common(elements))
        return Expr(id=self._id(at, type_), list_expr=Expr.CreateList(elements=elements))

    def map(self, entries: Sequence[tuple[Expr, Expr]], at: int) -> Expr:
        """Return a map literal."""
        type_ = map_of(self._common([key for key, _ in entries]), self._common([value for _, value in entries]))
        made = [Expr.CreateStruct.Entry(map_key=key, value=value) for key, value in entries]
        return Expr(id=self._id(at, type_), struct_expr=Expr.CreateStruct(entries=made))

    def loop(self, parts: Expr.Comprehension, at: int, type_: CelType) -> Expr:
        """Return a comprehension."""
        return Expr(id=self._id(at, type_), comprehension_expr=parts)

    def _common(self, nodes: Sequence[Expr]) -> CelType:
        types = {self._types[node.id] for node in nodes}
        return types.pop() if len(types) == 1 else DYN

    def _id(self, at: int, type_: CelType) -> int:
        id_ = len(self._types) + 1
        self._types[id_] = type_
        self._checked.source_info.positions[id_] = at
        return id_


def _encoded(type_: CelType) -> Type:
    parameters = [_encoded(parameter) for parameter in type_.parameters]
    match type_.kind:
        case Kind.LIST:
            return Type(list_type=Type.ListType(elem_type=parameters[0]))
        case Kind.MAP:
            return Type(map_type=Type.MapType(key_type=parameters[0], value_type=parameters[1]))
        case Kind.MESSAGE:
            return Type(message_type=type_.name)
        case Kind.OPTIONAL:
            return Type(abstract_type=Type.AbstractType(name="optional_type", parameter_types=parameters))
    return _simple(type_.kind)


def _simple(kind: Kind) -> Type:
    if kind in _PRIMITIVES:
        return Type(primitive=_PRIMITIVES[kind])
    if kind in _WELL_KNOWN:
        return Type(well_known=_WELL_KNOWN[kind])
    if kind is Kind.NULL:
        return Type(null=0)  # type: ignore[arg-type]  # the one null there is
    return Type(type=Type()) if kind is Kind.TYPE else Type(dyn=Empty())
