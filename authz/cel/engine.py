"""The seam behind which the CEL engines stand, and the choice between them.

An engine checks an expression into a tree, and runs the tree it is handed back. `cel-expr-python` (C++) decides;
`cel-python` is the second opinion, and takes over where the first has no wheel. Each is imported when it is asked for.
"""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz._pb.cel.expr.checked_pb2 import CheckedExpr
    from authz.cel.types import CelType
    from authz.cel.values import EvaluationError


class EngineName(StrEnum):
    """Which engine; `AUTO` is the first that is installed."""

    AUTO = "auto"
    CEL_EXPR_PYTHON = "cel-expr-python"
    CEL_PYTHON = "cel-python"


class Activation:
    """What expressions are evaluated against; made by an environment, and opaque.

    `values` have passed `bindings.Bindings`. An engine that needs them in a form of its own makes it when it is
    first asked for, and keeps it in `native`. `added` are names that it has added itself.
    """

    __slots__ = ("_make", "_native", "added", "values")

    def __init__(self, values: dict[str, object], make: Callable[[dict[str, object]], object] | None = None) -> None:
        self.values = values
        self._make = make
        self._native: object | None = None
        self.added: frozenset[str] = frozenset()

    def add(self, names: frozenset[str], values: Mapping[str, object]) -> None:
        """Bind more names of the engine's own; those of `names` that are not among `values` have no value."""
        self.added |= names
        self.values.update(values)
        self._native = None

    @property
    def native(self) -> object:
        """Return the engine's own form of the values."""
        if self._native is None and self._make is not None:
            self._native = self._make(self.values)
        return self._native


class Program(Protocol):
    """An expression ready to run. `walked` says that it is walked in Python, which costs more by the expression."""

    walked: ClassVar[bool]

    def holds(self, activation: Activation) -> bool | EvaluationError:
        """Return the value if it is a bool, and an error whatever else it is."""

    def value(self, activation: Activation) -> object | EvaluationError:
        """Return the value as plain Python."""


class EngineEnvironment(Protocol):
    """An engine that knows a set of variables and the functions of the registry."""

    def check(self, source: str) -> CheckedExpr:
        """Return the checked tree of an expression; raise `CompileError` with every fault the engine finds."""

    def program(self, checked: CheckedExpr) -> Program:
        """Return the program of a checked tree."""

    def activation(self, values: dict[str, object]) -> Activation:
        """Return an activation of values that have passed `bindings.Bindings`."""


class Engine(Protocol):
    """The module of an engine."""

    def environment(self, variables: Mapping[str, CelType]) -> EngineEnvironment:
        """Return an environment with these variables."""


_MODULES = {
    EngineName.CEL_EXPR_PYTHON: "authz.cel.cpp.engine",
    EngineName.CEL_PYTHON: "authz.cel.python.engine",
}


def load(name: EngineName) -> tuple[EngineName, Engine]:
    """Return an engine and its name; raise `ImportError` if it (or, for `AUTO`, any) is not installed."""
    if name is not EngineName.AUTO:
        return name, cast("Engine", import_module(_MODULES[name]))
    try:
        return load(EngineName.CEL_EXPR_PYTHON)
    except ImportError:
        return load(EngineName.CEL_PYTHON)
