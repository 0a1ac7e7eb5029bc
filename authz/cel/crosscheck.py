"""The same expression before both engines.

Two implementations that agree are no proof, but one that disagrees is a finding: in an engine, or in an expression
that leans on what engines see differently. The second engine may say that it cannot tell; that is neither. Where the
first leaves an expression to the walker (`cpp.division`), what is compared is parsing and checking.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from authz.cel.engine import EngineName
from authz.cel.environment import Environment
from authz.cel.faults import Code, CompileError
from authz.cel.values import EvaluationError, equal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from authz.cel.environment import Expression
    from authz.cel.types import CelType

_CANNOT_TELL = EvaluationError("the engine cannot tell", unsupported=True)


class Verdict(StrEnum):
    """What came of asking both."""

    AGREE = "agree"
    DISAGREE = "disagree"
    UNDETERMINED = "undetermined"


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What both engines make of one expression with one set of bindings: plain values, or errors."""

    verdict: Verdict
    first: object
    second: object


class CrossCheck:
    """Both engines with one set of variables."""

    def __init__(self, variables: Mapping[str, CelType]) -> None:
        self._environments = (
            Environment(variables, engine=EngineName.CEL_EXPR_PYTHON),
            Environment(variables, engine=EngineName.CEL_PYTHON),
        )

    def compare(self, source: str, requests: Iterable[Mapping[str, object]]) -> tuple[Comparison, ...]:
        """Return a comparison for each set of bindings; what an engine does not compile is an error each time."""
        expressions = tuple(_compiled(environment, source) for environment in self._environments)
        return tuple(self._comparison(expressions, bindings) for bindings in requests)

    def _comparison(
        self, expressions: tuple[Expression | EvaluationError, ...], bindings: Mapping[str, object]
    ) -> Comparison:
        first, second = (
            expression
            if isinstance(expression, EvaluationError)
            else expression.value(environment.activation(bindings))
            for expression, environment in zip(expressions, self._environments, strict=True)
        )
        return Comparison(verdict=_verdict(first, second), first=first, second=second)


def _compiled(environment: Environment, source: str) -> Expression | EvaluationError:
    try:
        return environment.compile(source)
    except CompileError as error:
        if any(fault.code is Code.UNSUPPORTED for fault in error.faults):
            return _CANNOT_TELL
        return EvaluationError(f"does not compile: {error}")


def _verdict(first: object, second: object) -> Verdict:
    for value in (first, second):
        if isinstance(value, EvaluationError) and value.unsupported:
            return Verdict.UNDETERMINED
    if isinstance(first, EvaluationError) or isinstance(second, EvaluationError):
        alike = isinstance(first, EvaluationError) and isinstance(second, EvaluationError)
    else:
        alike = equal(first, second) or repr(first) == repr(second)
    return Verdict.AGREE if alike else Verdict.DISAGREE
