"""The first engine: `cel-expr-python`, the C++ implementation of CEL. It decides.

It parses and checks every expression, and runs those that `division` leaves to it. What it returns has to be read with
care. An error is a value whose `value()` is a text, and truthy; `bool()` of any value is true; some errors are
exceptions. So a condition holds only if the value *is* `True`, and everything that is neither `True` nor `False` is an
error. Its words for people are translated in `diagnosis`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, ClassVar

from cel_expr_python import cel  # type: ignore[import-untyped]  # its .pyi comes without py.typed
from cel_expr_python.ext import (  # type: ignore[import-untyped]
    ext_bindings,
    ext_encoders,
    ext_math,
    ext_optional,
    ext_strings,
)
from google.protobuf.any_pb2 import Any

from authz._pb.cel.expr.checked_pb2 import CheckedExpr
from authz.cel.cpp import diagnosis
from authz.cel.cpp.division import is_walked
from authz.cel.cpp.hoisting import hoist
from authz.cel.engine import Activation
from authz.cel.functions import FUNCTIONS
from authz.cel.types import Kind
from authz.cel.values import EvaluationError, NoValueError, plain
from authz.cel.walker import program as walker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz.cel import engine
    from authz.cel.cpp.hoisting import Parts
    from authz.cel.functions import Function
    from authz.cel.types import CelType

_SIMPLE = {
    Kind.BOOL: cel.Type.BOOL,
    Kind.INT: cel.Type.INT,
    Kind.UINT: cel.Type.UINT,
    Kind.DOUBLE: cel.Type.DOUBLE,
    Kind.STRING: cel.Type.STRING,
    Kind.BYTES: cel.Type.BYTES,
    Kind.TIMESTAMP: cel.Type.TIMESTAMP,
    Kind.DURATION: cel.Type.DURATION,
    Kind.NULL: cel.Type.NULL,
}


class Program:
    """One expression, run by the engine; see `engine.Program`."""

    __slots__ = ("_evaluate",)
    walked: ClassVar = False

    def __init__(self, expression: cel.Expression) -> None:
        self._evaluate: Callable[[object], cel.Value] = expression.eval

    def holds(self, activation: Activation) -> bool | EvaluationError:
        """Return the value if it is a bool, and an error whatever else it is."""
        try:
            result = self._evaluate(activation.native)
            value = result.value()
        except Exception as error:  # noqa: BLE001 - the engine raises what it likes, and no answer is no answer
            return diagnosis.evaluation_error(str(error))
        if value is True or value is False:
            return value
        kind = result.type()
        if kind == cel.Type.ERROR:
            return diagnosis.evaluation_error(value)
        return EvaluationError(f"not a bool: {kind.name().partition('<')[0].lower()}")

    def value(self, activation: Activation) -> object | EvaluationError:
        """Return the value as plain Python."""
        try:
            result = self._evaluate(activation.native)
            if result.type() == cel.Type.ERROR:
                return diagnosis.evaluation_error(result.value())
            return plain(result.plain_value())
        except NoValueError as error:
            return EvaluationError(str(error))
        except Exception as error:  # noqa: BLE001 - as above; an optional, for one, has no Python value
            return diagnosis.evaluation_error(str(error))


class Hoisted:
    """One expression of which parts are worked out first. Errors are told by the walk of the whole."""

    __slots__ = ("_parts", "_rest", "_whole")
    walked: ClassVar = False

    def __init__(self, rest: cel.Expression, parts: Parts, whole: walker.Program) -> None:
        self._rest = Program(rest)
        self._parts = parts
        self._whole = whole

    def holds(self, activation: Activation) -> bool | EvaluationError:
        """Return the value if it is a bool, and an error whatever else it is."""
        self._parts.bind(activation)
        held = self._rest.holds(activation)
        return held if held is True or held is False else self._whole.holds(activation)

    def value(self, activation: Activation) -> object | EvaluationError:
        """Return the value as plain Python."""
        self._parts.bind(activation)
        value = self._rest.value(activation)
        return self._whole.value(activation) if isinstance(value, EvaluationError) else value


class Environment:
    """The engine with a set of variables; see `engine.EngineEnvironment`."""

    def __init__(self, variables: Mapping[str, CelType]) -> None:
        self._variables = variables
        self._environment = cel.NewEnv(
            variables={name: _native(type_) for name, type_ in variables.items()},
            extensions=_extensions(),
            functions=_functions(),
        )

    def check(self, source: str) -> CheckedExpr:
        """Return the checked tree of an expression; raise `CompileError` with every fault the engine finds."""
        try:
            serialized = self._environment.compile(source).serialize()
        except Exception as error:  # noqa: BLE001 - whatever it is, the expression cannot be used
            raise diagnosis.compile_error(str(error), source, self._variables) from None
        checked = CheckedExpr()
        Any.FromString(serialized).Unpack(checked)
        return checked

    def program(self, checked: CheckedExpr) -> engine.Program:
        """Return the program of a checked tree, for the engine or for the walker."""
        if not is_walked(checked):
            return Program(self._runnable(checked))
        whole, rest = walker.Program(checked.expr, self._variables), CheckedExpr()
        rest.CopyFrom(checked)
        parts = hoist(rest, self._variables)
        return whole if parts is None or is_walked(rest) else Hoisted(self._runnable(rest), parts, whole)

    def _runnable(self, checked: CheckedExpr) -> cel.Expression:
        packed = Any()
        packed.Pack(checked)
        return self._environment.deserialize(packed.SerializeToString())

    def activation(self, values: dict[str, object]) -> Activation:
        """Return what a program is run against; the engine's own form is made when it is first needed."""
        return Activation(values, self._environment.Activation)


def environment(variables: Mapping[str, CelType]) -> Environment:
    """Return an environment with these variables."""
    return Environment(variables)


@cache
def _native(type_: CelType) -> cel.Type:
    match type_.kind:
        case Kind.LIST:
            return cel.Type.List(_native(type_.parameters[0]))
        case Kind.MAP:
            return cel.Type.Map(_native(type_.parameters[0]), _native(type_.parameters[1]))
        case Kind.MESSAGE:
            return cel.Type(type_.name)
    return _SIMPLE.get(type_.kind, cel.Type.DYN)


@cache
def _extensions() -> list[cel.CelExtensionBase]:
    return [
        ext_strings.ExtStrings(),
        ext_optional.ExtOptional(),
        ext_math.ExtMath(),
        ext_encoders.ExtEncoders(),
        ext_bindings.ExtBindings(),
    ]


@cache
def _functions() -> list[cel.FunctionDecl]:
    return [_declared(function) for function in FUNCTIONS if function.overloads]


def _declared(function: Function) -> cel.FunctionDecl:
    return cel.FunctionDecl(
        function.name,
        [
            cel.Overload(
                overload.id,
                return_type=_native(overload.result),
                parameters=[_native(parameter) for parameter in overload.parameters],
                is_member=overload.member,
            )
            for overload in function.overloads
        ],
    )
