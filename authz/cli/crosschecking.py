"""`authz check --cross-check`: every expression before both CEL engines.

Asked are the values that the expressions had when the tests of the policies ran, and some made up from their types.
Where engines differ, one of them is wrong, or the expression leans on what CEL leaves open; the service believes the
first. Values are not shown: they may be somebody's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from authz.cel import EvaluationError
from authz.cel.crosscheck import CrossCheck, Verdict
from authz.cel.types import Kind
from authz.cli.testing.files import batches, beside
from authz.cli.testing.running import policies as compiled
from authz.cli.testing.running import suites
from authz.policy.linting.codes import Lint
from authz.testing import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from authz.cel import Activation, CelType, Expression
    from authz.errors import Fault
    from authz.policy import PolicySet
    from authz.policy.documents import Guardrail, Policy
    from authz.policy.linting import Looked
    from authz.policy.source import Scalar
    from authz.policy.terms import Span, Watch

MOST = 64
"""Evaluations of one expression that are kept."""

Place = tuple[str, int, int, int]
Values = dict[str, object]

_EMPTY: Mapping[Kind, object] = {
    Kind.BOOL: False, Kind.INT: 0, Kind.DOUBLE: 0.0, Kind.STRING: "", Kind.BYTES: b"", Kind.LIST: [], Kind.MAP: {},
    Kind.DYN: None,
}  # fmt: skip
_FILLED: Mapping[Kind, object] = {
    Kind.BOOL: True, Kind.INT: 1, Kind.DOUBLE: 1.5, Kind.STRING: "a", Kind.BYTES: b"a", Kind.DYN: "a",
}  # fmt: skip


class Crossed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: how many expressions and evaluations there were, and how many nobody could compare."""

    expressions: int
    evaluations: int
    undetermined: int
    warnings: tuple[Fault, ...]


def cross_checked(policies: PolicySet, looked_at: Sequence[Looked], paths: Sequence[Path]) -> Crossed:
    """Return where the engines differ, with the values of the tests about these paths and some made up."""
    seen = _Seen()
    kept = [_tried(seen, path) for path in paths]
    check = CrossCheck(policies.world.environment.variables)
    found = {id(looked): _verdicts(check, looked, policies, seen) for looked in looked_at}
    del kept  # until here it has kept the data that values refer to
    return Crossed(
        expressions=len(found),
        evaluations=sum(map(len, found.values())),
        undetermined=sum(verdicts.count(Verdict.UNDETERMINED) for verdicts in found.values()),
        warnings=tuple(sorted(_told(one, found[id(one)]) for one in looked_at if Verdict.DISAGREE in found[id(one)])),
    )


class _Seen:
    """The values that expressions were evaluated with, by where they are written."""

    def __init__(self) -> None:
        self.values: dict[Place, list[Values]] = {}

    def watch(self, _document: Policy | Guardrail) -> Watch:
        return self._watched

    def _watched(self, written: Scalar, span: Span, expression: Expression) -> Expression:
        kept = self.values.setdefault(place_of(written, span), [])

        def noting(
            evaluate: Callable[[Activation], object | EvaluationError],
        ) -> Callable[[Activation], object | EvaluationError]:
            def noted(activation: Activation) -> object | EvaluationError:
                if len(kept) < MOST:
                    kept.append(dict(activation.values))
                return evaluate(activation)

            return noted

        return msgspec.structs.replace(expression, holds=noting(expression.holds), value=noting(expression.value))


def place_of(written: Scalar, span: Span) -> Place:
    """Return what tells an expression from all others, in every reading of the same file."""
    return written.source.file, written.start, span.line, span.column


def _tried(seen: _Seen, path: Path) -> list[PolicySet]:
    """Run the tests about a path, and return the policies they were run on."""
    ran = []
    for batch in batches([path] if path.is_dir() else beside(path), []):
        policies = compiled(batch, seen.watch)
        run(suites(batch), policies)
        ran.append(policies)
    return ran


def _verdicts(check: CrossCheck, looked: Looked, policies: PolicySet, seen: _Seen) -> list[Verdict]:
    recorded = seen.values.get(place_of(looked.written, looked.span), [])
    made_up = list(_made_up(looked.expression, policies))
    return [one.verdict for one in check.compare(looked.expression.source, [*recorded, *made_up])]


def _made_up(expression: Expression, policies: PolicySet) -> Iterator[Values]:
    """Yield values by the types of what an expression reads: empty ones, others, and none at all."""
    world = policies.world
    data = {name: value for name, value in world.data.items() if name in expression.variables}
    types = {name: kind for name, kind in world.environment.variables.items() if name in expression.variables}
    keys = {attribute.variable: str(attribute.keys[0]) for attribute in expression.reads if attribute.keys}
    for filled in (False, True):
        values = {name: _value(kind, keys.get(name), filled=filled) for name, kind in types.items()}
        yield {**{name: value for name, value in values.items() if value is not None}, **data}
    yield data


def _value(kind: CelType, key: str | None, *, filled: bool) -> object:
    if not filled:
        return _EMPTY.get(kind.kind)
    if kind.kind is Kind.LIST:
        return [_value(kind.parameters[0], None, filled=True)]
    if kind.kind is Kind.MAP:
        return {key or "a": _value(kind.parameters[1], None, filled=True)}
    return _FILLED.get(kind.kind)


def _told(looked: Looked, verdicts: Sequence[Verdict]) -> Fault:
    differing = verdicts.count(Verdict.DISAGREE)
    message = f"the engines differ in {differing} of {len(verdicts)} evaluations"
    return looked.warned(looked.whole, Lint.ENGINES_DIFFER, message, "say it in another way; the first decides")
