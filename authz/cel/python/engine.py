"""The engine interface over the Python engine; see `engine.Engine`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.cel.engine import Activation
from authz.cel.faults import Code, CompileError, CompileFault
from authz.cel.python.grammar import parse
from authz.cel.python.lowering import lower
from authz.cel.walker.program import Program

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz._pb.cel.expr.checked_pb2 import CheckedExpr
    from authz.cel.types import CelType


class Environment:
    """The engine with a set of variables; see `engine.EngineEnvironment`."""

    def __init__(self, variables: Mapping[str, CelType]) -> None:
        self._variables = variables

    def check(self, source: str) -> CheckedExpr:
        """Return the checked tree of an expression; raise `CompileError` with every fault."""
        try:
            return lower(parse(source), source, self._variables)
        except RecursionError:
            message = "the expression is nested too deep"
            raise CompileError([CompileFault(code=Code.SIZE, message=message)]) from None

    def program(self, checked: CheckedExpr) -> Program:
        """Return the program of a checked tree."""
        return Program(checked.expr, self._variables)

    def activation(self, values: dict[str, object]) -> Activation:
        """Return what a program is run against: the values themselves."""
        return Activation(values)


def environment(variables: Mapping[str, CelType]) -> Environment:
    """Return an environment with these variables."""
    return Environment(variables)
