"""A checked tree, run: each node becomes a function of the frame, once, and is called for each evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from authz.cel.faults import Code, CompileError, CompileFault
from authz.cel.names import no_value
from authz.cel.tree import NO_SCOPE, free_name, literal, names_bound
from authz.cel.values import EvaluationError, NoValueError, plain
from authz.cel.walker import containers
from authz.cel.walker.calls import operation
from authz.cel.walker.conform import conform
from authz.cel.walker.control import LAZY, Loop
from authz.cel.walker.frame import ExhaustedError, Frame
from authz.cel.walker.library import OWN
from authz.cel.walker.values import TypeValue, Uint, UnsupportedError, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz._pb.cel.expr.syntax_pb2 import Expr
    from authz.cel.engine import Activation
    from authz.cel.tree import Scope
    from authz.cel.types import CelType
    from authz.cel.walker.frame import Node


class Program:
    """One expression; see `engine.Program`."""

    __slots__ = ("_run",)
    walked: ClassVar = True

    def __init__(
        self, tree: Expr, variables: Mapping[str, CelType], watch: Callable[[Expr, Node], Node] | None = None
    ) -> None:
        """Make the functions of a tree; raise `CompileError` if it holds what cannot be walked.

        `watch` may put a function of its own in the place of each.
        """
        try:
            self._run = _Compiler(variables, watch).node(tree, NO_SCOPE)
        except UnsupportedError as error:
            raise CompileError([CompileFault(code=Code.UNSUPPORTED, message=str(error))]) from None

    def holds(self, activation: Activation) -> bool | EvaluationError:
        """Return the value if it is a bool, and an error whatever else it is."""
        value = self.evaluated(Frame(activation.values))
        if value is True or value is False or isinstance(value, EvaluationError):
            return value
        return EvaluationError(f"not a bool: {kind_of(value).value}")

    def value(self, activation: Activation) -> object | EvaluationError:
        """Return the value as plain Python."""
        value = self.evaluated(Frame(activation.values))
        try:
            return value if isinstance(value, EvaluationError) else plain(value)
        except NoValueError as error:
            return EvaluationError(str(error))

    def evaluated(self, frame: Frame) -> object:
        """Return the value as this engine has it, or an `EvaluationError`."""
        try:
            return self._run(frame)
        except NoValueError as error:
            return EvaluationError(str(error), isinstance(error, UnsupportedError))
        except ExhaustedError:
            return EvaluationError("too many iterations")
        except RecursionError:
            return EvaluationError("the value is too deep", unsupported=True)
        except Exception:  # noqa: BLE001 - a bug of this engine is no answer, and its text may hold a secret
            return EvaluationError("the expression has no value", unsupported=True)


class _Compiler:
    """Makes a function of each node; `variables` are the names that are bound from outside."""

    def __init__(self, variables: Mapping[str, CelType], watch: Callable[[Expr, Node], Node] | None) -> None:
        self._variables = variables
        self._watch = watch

    def node(self, node: Expr, scope: Scope) -> Node:
        """Return the function of a node."""
        made = self._made(node, scope)
        return made if self._watch is None else self._watch(node, made)

    def _made(self, node: Expr, scope: Scope) -> Node:
        kind = node.WhichOneof("expr_kind")
        if kind == "const_expr":
            return _constant(_literal(node))
        makers = {
            "ident_expr": self._name,
            "select_expr": self._select,
            "call_expr": self._call,
            "list_expr": self._list,
            "struct_expr": self._map,
            "comprehension_expr": self._comprehension,
        }
        return makers[kind](node, scope)

    def _name(self, node: Expr, scope: Scope) -> Node:
        name = free_name(node, scope)
        if name is None:
            return _local(node.ident_expr.name)
        if name in self._variables or name.startswith("@"):
            return _variable(name, self._variables.get(name))
        return _constant(TypeValue(name))

    def _select(self, node: Expr, scope: Scope) -> Node:
        operand, field = self.node(node.select_expr.operand, scope), node.select_expr.field
        follow = containers.has if node.select_expr.test_only else containers.select
        return lambda frame: follow(operand(frame), field)

    def _call(self, node: Expr, scope: Scope) -> Node:
        call = node.call_expr
        written = (call.target, *call.args) if call.HasField("target") else tuple(call.args)
        arguments = tuple(self.node(each, scope) for each in written)
        if (lazy := LAZY.get(call.function)) is not None:
            return lazy(*arguments)
        apply = operation(call.function)
        if scope and call.function in SIZED:
            return _charged(apply, arguments)
        return lambda frame: apply(*[argument(frame) for argument in arguments])

    def _list(self, node: Expr, scope: Scope) -> Node:
        parts = tuple(self.node(each, scope) for each in node.list_expr.elements)
        optional = frozenset(node.list_expr.optional_indices)
        if not optional:
            return lambda frame: [part(frame) for part in parts]
        marked = tuple((part, position in optional) for position, part in enumerate(parts))
        return lambda frame: containers.made_list((part(frame), is_optional) for part, is_optional in marked)

    def _map(self, node: Expr, scope: Scope) -> Node:
        if node.struct_expr.message_name:
            raise UnsupportedError("messages are not made")
        entries = tuple(
            (self.node(entry.map_key, scope), self.node(entry.value, scope), entry.optional_entry)
            for entry in node.struct_expr.entries
        )
        return lambda frame: containers.made_map((key(frame), value(frame), opt) for key, value, opt in entries)

    def _comprehension(self, node: Expr, scope: Scope) -> Node:
        parts = node.comprehension_expr
        inner, outer = names_bound(node, scope)
        return Loop(
            over=self.node(parts.iter_range, scope),
            start=self.node(parts.accu_init, scope),
            condition=self.node(parts.loop_condition, inner),
            step=self.node(parts.loop_step, inner),
            result=self.node(parts.result, outer),
            element=parts.iter_var,
            running=parts.accu_var,
        ).run


def _literal(node: Expr) -> object:
    value = literal(node.const_expr)
    return Uint(cast("int", value)) if node.const_expr.HasField("uint64_value") else value


def _constant(value: object) -> Node:
    return lambda _: value


def _local(name: str) -> Node:
    def read(frame: Frame) -> object:
        value = frame.locals[name]
        if isinstance(value, NoValueError):
            raise value
        return value

    return read


def _variable(name: str, type_: CelType | None) -> Node:
    def read(frame: Frame) -> object:
        if name in frame.read:
            return frame.read[name]
        if name not in frame.bindings:
            raise NoValueError(no_value(name))
        value = frame.bindings[name]
        frame.read[name] = conformed = value if type_ is None else conform(value, type_)
        return conformed

    return read


def _charged(apply: Callable[..., object], arguments: tuple[Node, ...]) -> Node:
    """Return a call that takes turns for the size of what it is given: it is made again and again."""

    def run(frame: Frame) -> object:
        values = [argument(frame) for argument in arguments]
        for value in values:
            if (size := _SIZES.get(type(value))) is not None:
                frame.spend(len(value) // size)  # type: ignore[arg-type]  # what has a size there has a length
        return apply(*values)

    return run


_SIZES: Mapping[type, int] = {str: 4_096, bytes: 4_096, list: 32, dict: 32}
"""How much of a value is worth a turn."""

SIZED = frozenset(
    (
        *OWN, "@in", "_+_", "base64.decode", "base64.encode", "bytes", "charAt", "contains", "endsWith", "format",
        "indexOf", "lastIndexOf", "lowerAscii", "reverse", "size", "split", "string", "strings.quote", "substring",
        "trim", "upperAscii",
    )
)  # fmt: skip
"""Operations whose cost grows with what they are given."""
