"""What an expression reads: the variables, and of each the constant keys that were followed.

Derived from the checked tree, so it is what the engine will ask for and not a guess from the text. A decision records
these and nothing else; a body is parsed only if a rule reads it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from authz.cel.tree import NO_SCOPE, children, free_name, literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from authz._pb.cel.expr.checked_pb2 import CheckedExpr
    from authz._pb.cel.expr.syntax_pb2 import Expr
    from authz.cel.tree import Scope

Key = str | int | float | bool
"""A constant key of a map or a constant index of a list."""

_INDEXES = frozenset({"_[_]", "_[?_]", "_?._"})


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """A variable and the constant keys followed from it: `request.headers["x-tenant"]`."""

    variable: str
    keys: tuple[Key, ...] = ()

    def __str__(self) -> str:
        return self.variable + "".join(f"[{json.dumps(key, ensure_ascii=False)}]" for key in self.keys)


def reads(checked: CheckedExpr, variables: Mapping[str, str]) -> tuple[Attribute, ...]:
    """Return what an expression reads, each once, in the order of its text.

    `variables` maps the names that are variables, and not types or constants, to what they stand for.
    """
    found = _Reader(checked, variables).visit(checked.expr, NO_SCOPE)
    return tuple({str(attribute): attribute for attribute in found}.values())


class _Reader:
    def __init__(self, checked: CheckedExpr, variables: Mapping[str, str]) -> None:
        self._types = checked.type_map
        self._variables = variables

    def visit(self, node: Expr, scope: Scope) -> Iterator[Attribute]:
        """Yield what a node and everything below it read."""
        attribute = self._attribute(node, scope)
        if attribute is None:
            for child, inner in children(node, scope):
                yield from self.visit(child, inner)
            return
        yield attribute
        for key in _computed_keys(node):
            yield from self.visit(key, scope)

    def _attribute(self, node: Expr, scope: Scope) -> Attribute | None:
        """Return the attribute a node stands for, with as many constant keys as are followed from the variable."""
        if (name := free_name(node, scope)) is not None:
            return Attribute(variable=self._variables[name]) if name in self._variables else None
        if (step := _step(node)) is not None:
            return self._followed(step[0], step[1], scope)
        if node.call_expr.function == "@in":
            element, container = node.call_expr.args
            if element.HasField("const_expr") and self._types[container.id].HasField("map_type"):
                return self._followed(container, element, scope)
        return None

    def _followed(self, operand: Expr, key: Expr | str, scope: Scope) -> Attribute | None:
        attribute = self._attribute(operand, scope)
        if attribute is None or _is_computed(operand):
            return attribute
        constant = key if isinstance(key, str) else _constant(key)
        return attribute if constant is None else msgspec.structs.replace(attribute, keys=(*attribute.keys, constant))


def _step(node: Expr) -> tuple[Expr, Expr | str] | None:
    """Return operand and key of a selection or an index."""
    if node.HasField("select_expr"):
        return node.select_expr.operand, node.select_expr.field
    if node.HasField("call_expr") and node.call_expr.function in _INDEXES:
        return node.call_expr.args[0], node.call_expr.args[1]
    return None


def _constant(key: Expr) -> Key | None:
    value = literal(key.const_expr) if key.HasField("const_expr") else None
    return value if isinstance(value, Key) else None


def _is_computed(node: Expr) -> bool:
    """Return whether a key on the way to `node` is computed; constant keys behind it say nothing."""
    return any(True for _ in _computed_keys(node))


def _computed_keys(node: Expr) -> Iterator[Expr]:
    """Yield the keys that are computed on the way from the variable to `node`; they read something themselves."""
    while (step := _step(node)) is not None:
        node, key = step
        if not isinstance(key, str) and _constant(key) is None:
            yield key
