"""What tests have not shown of the policies: parts that never did anything, conditions that never went both ways.

A recorder is given to the compiler, which hands it every expression, and told of every outcome. So what is counted is
what decisions really evaluated, in their order and no further, and not what could have been evaluated. A condition is
cut at `&&`, `||`, `!` and `?:` into the parts that are decided by themselves; each has to be true once, and false once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from authz.cel import BOOL, DYN, EvaluationError
from authz.errors import Fault, Severity
from authz.model import LimitOutcome, Mode
from authz.policy.terms import pointed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from authz.cel import Activation, Expression
    from authz.cel.parts import Part
    from authz.model import Outcome
    from authz.policy.documents import Guardrail, Policy
    from authz.policy.documents.rules import Rule
    from authz.policy.source import Scalar, Text
    from authz.policy.terms import Span

_JOINING = frozenset({"&&", "||", "!", "?:"})


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a condition that is decided by itself, and how often it went which way."""

    place: Fault
    true: int = 0
    false: int = 0

    @property
    def seen(self) -> int:
        """Return how many of its two ways were gone."""
        return (self.true > 0) + (self.false > 0)


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """One rule, limit, validation or variable of a document, and how often it did something.

    A rule holds, a limit is exhausted, a validation refuses; a variable is only made of branches (`hits` is `None`).
    """

    kind: str
    name: str
    place: Fault
    lines: frozenset[int]
    hits: int | None
    branches: tuple[Branch, ...] = ()


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """What tests have shown of policies."""

    parts: tuple[Covered, ...]

    @property
    def points(self) -> tuple[int, int]:
        """Return how many of the parts did something, and how many there are."""
        counted = [part for part in self.parts if part.hits is not None]
        return sum(part.hits != 0 for part in counted), len(counted)

    @property
    def ways(self) -> tuple[int, int]:
        """Return how many ways of branches were gone, and how many there are."""
        branches = [branch for part in self.parts for branch in part.branches]
        return sum(branch.seen for branch in branches), 2 * len(branches)

    @property
    def percent(self) -> float:
        """Return how much of both was seen; nothing to see is all."""
        (hit, parts), (gone, ways) = self.points, self.ways
        return 100.0 * (hit + gone) / (parts + ways) if parts + ways else 100.0

    def missing(self) -> Iterator[Fault]:
        """Yield what was not seen, each at its place."""
        for part in self.parts:
            if part.hits == 0:
                yield _told(part.place, f'{part.kind} "{part.name}" {_NEVER[part.kind]}')
            for branch in part.branches:
                if branch.seen < 2:
                    ways = "evaluated" if not branch.seen else "false" if branch.true else "true"
                    yield _told(branch.place, f'{part.kind} "{part.name}": "{branch.place.message}" is never {ways}')

    def within(self, lines: Mapping[str, Collection[int]]) -> Coverage:
        """Return what lies on certain lines of files."""
        return Coverage(parts=tuple(part for part in self.parts if part.lines & set(lines.get(part.place.file, ()))))


_NEVER = {"rule": "never held", "limit": "was never exhausted", "validation": "never refused anything"}


def merged(all_: Iterable[Coverage]) -> Coverage:
    """Return what several runs have shown together."""
    found: dict[Fault, Covered] = {}
    for part in (part for one in all_ for part in one.parts):
        known = found.get(part.place)
        found[part.place] = part if known is None else _added(known, part)
    return Coverage(parts=tuple(found[place] for place in sorted(found)))


def _added(one: Covered, other: Covered) -> Covered:
    branches = tuple(
        msgspec.structs.replace(first, true=first.true + second.true, false=first.false + second.false)
        for first, second in zip(one.branches, other.branches, strict=True)
    )
    hits = None if one.hits is None else one.hits + (other.hits or 0)
    return msgspec.structs.replace(one, hits=hits, branches=branches)


class Recorder:
    """Counts while tests run: `watch` is for the compiler, the recorder itself an observer of outcomes."""

    def __init__(self) -> None:
        self._documents: list[Policy | Guardrail] = []
        self._conditions: dict[int, _Condition] = {}
        self._settled: dict[str, int] = {}

    def watch(self, document: Policy | Guardrail) -> Callable[[Scalar, Span, Expression], Expression]:
        """Take note of a document; return what takes its expressions."""
        self._documents.append(document)
        return self._watched

    def __call__(self, outcome: Outcome) -> None:
        """Take note of what settled an outcome, of limits that were exhausted, and of what is in shadow."""
        decision = outcome.decision
        over = [one for one in outcome.usage.limits if one.outcome in {LimitOutcome.OVER, LimitOutcome.WOULD_LIMIT}]
        names = {f"limit {one.charge.limit.name}" for one in over}
        names |= {f"{trace.kind} {trace.name}/{trace.rule}" for trace in decision.documents if trace.outcome != "none"}
        for name in names:
            self._settled[name] = self._settled.get(name, 0) + 1

    def coverage(self) -> Coverage:
        """Return what has been seen so far."""
        return merged([Coverage(parts=tuple(part for each in self._documents for part in self._parts(each)))])

    def _watched(self, written: Scalar, span: Span, expression: Expression) -> Expression:
        if expression.type not in {BOOL, DYN}:
            return expression
        condition = self._conditions[id(written)] = _Condition(written, span, expression)
        return msgspec.structs.replace(expression, holds=condition.holds, value=condition.value)

    def _parts(self, document: Policy | Guardrail) -> Iterator[Covered]:
        spec = document.spec
        if spec.mode is Mode.OFF:
            return
        for rule in spec.rules:
            if rule.mode is not Mode.OFF:
                yield self._part("rule", document, rule.name, (rule.when, *_tests(rule)), self._held(document, rule))
        for limit in spec.limits:
            if limit.mode is not Mode.OFF:
                hits = self._settled.get(f"limit {document.name}/{limit.name}", 0)
                yield self._part("limit", document, limit.name, (limit.when,), hits)
        for one in spec.validations:
            hits = self._settled.get(f"{document.kind} {document.name}/{one.name}", 0)
            yield self._part("validation", document, one.name, (one.when,), hits)
        for name, written in spec.variables.items():
            condition = self._conditions.get(id(written))
            if condition is not None and condition.is_bool:
                yield self._part("variable", document, name, (written,), None)

    def _held(self, document: Policy | Guardrail, rule: Rule) -> int:
        """Return how often a rule held: its last condition was true, or, where it has none, it settled something."""
        conditions = [one for written in (*_tests(rule), rule.when) if (one := self._conditions.get(id(written)))]
        if conditions:
            return conditions[0].true
        return self._settled.get(f"{document.kind} {document.name}/{rule.name}", 0)

    def _part(
        self, kind: str, document: Policy | Guardrail, name: Text, written: Iterable[Scalar | None], hits: int | None
    ) -> Covered:
        scalars = [one for one in written if one is not None]
        conditions = [one for scalar in scalars if (one := self._conditions.get(id(scalar)))]
        return Covered(
            kind=kind,
            name=f"{document.name}/{name}",
            place=name.fault("", ""),
            lines=frozenset(line for scalar in (name, *scalars) for line in _lines(scalar)),
            hits=hits,
            branches=tuple(branch for condition in conditions for branch in condition.branches()),
        )


class _Condition:
    """One condition, evaluated by the engine that decides and watched beside it."""

    def __init__(self, written: Scalar, span: Span, expression: Expression) -> None:
        self._written = written
        self._span = span
        self._expression = expression
        self._tracer = expression.tracer()
        self._ways = {part: [0, 0] for part in _decided(self._tracer.whole)}
        self.is_bool = expression.type == BOOL
        self.true = 0

    def holds(self, activation: Activation) -> bool | EvaluationError:
        """Return what the engine says, having taken note of it."""
        self._note(activation)
        return self._expression.holds(activation)

    def value(self, activation: Activation) -> object | EvaluationError:
        """Return what the engine says, having taken note of it."""
        self._note(activation)
        return self._expression.value(activation)

    def _note(self, activation: Activation) -> None:
        trace = self._tracer.trace(activation)
        self.true += trace.value is True
        for part, ways in self._ways.items():
            for value in trace.values(part):
                ways[0] += value is True
                ways[1] += value is False

    def branches(self) -> Iterator[Branch]:
        """Yield the parts that are decided by themselves."""
        for part, (true, false) in self._ways.items():
            yield Branch(place=self._place(part), true=true, false=false)

    def _place(self, part: Part) -> Fault:
        place = pointed(self._written, self._span, self._expression.source, part)
        return msgspec.structs.replace(place, message=" ".join(part.text.split()))


def _decided(part: Part) -> Iterator[Part]:
    """Yield the parts of a condition that are decided by themselves; literals are decided already."""
    if part.operator in _JOINING:
        for operand in part.parts:
            yield from _decided(operand)
    elif not part.literal:
        yield part


def _tests(rule: Rule) -> tuple[Scalar, ...]:
    return tuple(test for test in (rule.allow, rule.deny) if test is not None)


def _lines(scalar: Scalar) -> range:
    """Return the lines of a file that a scalar stands on."""
    last = max(scalar.start, scalar.end - 1)
    return range(scalar.source.place(scalar.start)[0], scalar.source.place(last)[0] + 1)


def _told(place: Fault, message: str) -> Fault:
    return msgspec.structs.replace(place, message=message, severity=Severity.WARNING)
