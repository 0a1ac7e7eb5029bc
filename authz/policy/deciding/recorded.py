"""A decision made again, of which not everything is known any more.

What is left of a request is what its record holds. An expression that reads something else is evaluated with that name
left out: CEL's `&&`, `||` and `?:` then tell whether it mattered, because a value that follows without it would have
followed with it. Where it mattered, the expression is undetermined, which is neither true nor false nor an error.
An undetermined rule is set aside: whether another one settles the decision anyway is seen at the end.

Limits are not charged: how often is not what is asked here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from authz.cel import EvaluationError
from authz.model import Effect, Knowing, Reason
from authz.policy.attributes import DOUBTFUL
from authz.policy.deciding.case import Case
from authz.policy.deciding.evaluation import Evaluation
from authz.policy.deciding.reads import WHO, of_validation, read_of, terms_of
from authz.policy.deciding.steps import STEPS, decide, met
from authz.policy.deciding.steps import validate as validate_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from authz.cel import Activation, Trace
    from authz.model import Charge, Decision
    from authz.policy.deciding.answers import Verdict
    from authz.policy.deciding.evaluation import Bound
    from authz.policy.deciding.places import LimitStep, Place, RuleStep
    from authz.policy.deciding.plan import Plan
    from authz.policy.deciding.reads import Attribute
    from authz.policy.facts import Facts
    from authz.policy.template import Template
    from authz.policy.terms import Term

    Attributes = frozenset[Attribute]

T = TypeVar("T")

STAND_IN = "/"
"""What stands for a text that is undetermined: nothing has anything against it, wherever it is to stand."""


class Memory(Protocol):
    """What is still known of a request; `values` are bound by name, of maps the keys that are known."""

    @property
    def values(self) -> Mapping[str, object]:
        """Return the values that do not follow from the facts."""

    def knowing(self, name: str, key: str | None, /) -> Knowing | None:
        """Return what is known of an attribute: `UNBOUND` that it had no value, `None` nothing at all."""


class UndeterminedError(Exception):
    """The decision depends on attributes that nobody remembers."""

    def __init__(self, attributes: Iterable[Attribute]) -> None:
        self.attributes = frozenset(attributes)
        super().__init__("not remembered")


class Redecided(msgspec.Struct, frozen=True):
    """A decision made again; its effect is certain, and where it is `exact`, so are its reason and rule."""

    decision: Decision
    exact: bool


def redecide(plan: Plan, facts: Facts, segments: Sequence[str], memory: Memory) -> Redecided:
    """Decide from what is remembered; raise `UndeterminedError` where that does not settle whether to allow.

    `facts` hold what is remembered, and anything in the place of what is not.
    """
    case = RecordedCase(plan, facts, segments, memory)
    decision = decide(case, _STEPS)
    case.settle(decision)
    return Redecided(decision, not case.pending)


def asked_of(plan: Plan) -> tuple[Attribute, ...]:
    """Return what a decision made again may depend on: what limits read is no part of it."""
    found = {WHO: None} if plan.providers else {}
    steps = (*plan.denials, *plan.redirects, *(step for policy in plan.policies for step in policy.rules))
    for step in steps:
        for term in terms_of(step.rule):
            found |= dict.fromkeys(read_of(term, plan.scopes[step.scope].variables))
    for checked in plan.validations:
        found |= dict.fromkeys(of_validation(checked.validation))
        if checked.validation.when is not None:
            found |= dict.fromkeys(read_of(checked.validation.when, plan.scopes[checked.place.scope].variables))
    if plan.expiring:
        found["request.time", None] = None
    return tuple(sorted(found, key=str))


class RecordedCase(Case):
    """A case in which rules can be undetermined; `pending` are those, by what they would do."""

    __slots__ = ("_memory", "pending")

    def __init__(self, plan: Plan, facts: Facts, segments: Sequence[str], memory: Memory) -> None:
        super().__init__(plan, facts, segments)
        self._memory = memory
        self._evaluation = RecordedEvaluation(plan, facts, segments, memory)
        self.pending: list[tuple[Effect, Place, frozenset[Attribute]]] = []

    def holds(self, step: RuleStep) -> bool:
        """Return whether a deny or redirect rule holds; set it aside if that is undetermined."""
        try:
            return super().holds(step)
        except UndeterminedError as error:
            self.set_aside(step.rule.effect, step.place, error)
            return False

    def allows(self, step: RuleStep) -> bool:
        """Return whether an allow rule holds; set it aside if that is undetermined."""
        try:
            return super().allows(step)
        except UndeterminedError as error:
            self.set_aside(Effect.ALLOW, step.place, error)
            return False

    def require(self, attributes: Iterable[Attribute]) -> None:
        """Raise `UndeterminedError` for attributes that are not known."""
        if unknown := [each for each in attributes if self._memory.knowing(*each) is None]:
            raise UndeterminedError(unknown)

    def identified(self, place: Place) -> bool:
        """Return whether the caller proved who they are to a provider that counts for a document."""
        self.require([WHO])
        return super().identified(place)

    def set_aside(self, effect: Effect, place: Place, error: UndeterminedError) -> None:
        """Note what is undetermined."""
        self.pending.append((effect, place, error.attributes))

    def settle(self, decision: Decision) -> None:
        """Raise `UndeterminedError` if what was set aside may have changed whether the request is allowed."""
        matters = {
            Effect.ALLOW: {Effect.DENY, Effect.REDIRECT},
            Effect.REDIRECT: {Effect.DENY},
            Effect.DENY: {Effect.REDIRECT, Effect.ALLOW} if decision.reason is Reason.NO_RULE else {Effect.REDIRECT},
        }.get(decision.effect, set())
        if decision.reason not in _CERTAIN:
            unknown = [attributes for effect, _, attributes in self.pending if effect in matters]
            if unknown:
                raise UndeterminedError(frozenset().union(*unknown))

    def text(self, template: Template, place: Place, rule: str) -> str:
        """Return the text of a template; where that is undetermined it may be an error, and that would deny."""
        try:
            return super().text(template, place, rule)
        except UndeterminedError as error:
            self.set_aside(Effect.DENY, place, error)
            return STAND_IN

    def data(self, template: Template, place: Place, rule: str) -> object:
        """Return the value of a template; see `text`."""
        try:
            return super().data(template, place, rule)
        except UndeterminedError as error:
            self.set_aside(Effect.DENY, place, error)
            return None

    def charge(self, _step: LimitStep) -> Charge | None:
        """Return nothing: no limit is charged for what has been."""
        return None


_CERTAIN = frozenset({Reason.DENY_RULE, Reason.AMBIGUOUS_REQUEST, Reason.NO_POLICY, Reason.INVALID_CREDENTIALS})
"""Reasons that come before anything that could have been set aside, or that nothing set aside could undo."""


def validate(case: Case) -> Verdict | None:
    """Step 5, first: every validation, as far as what it looks at is known."""
    if not isinstance(case, RecordedCase):
        return validate_whole(case)
    for step in case.plan.validations:
        validation = step.validation
        try:
            if validation.when is not None and not case.applies(validation.when, step.place, validation.name):
                continue
            case.require(of_validation(validation))
        except UndeterminedError as error:
            case.set_aside(Effect.DENY, step.place, error)
            continue
        if (verdict := met(case, step)) is not None:
            return verdict
    return None


_STEPS = tuple(validate if step is validate_whole else step for step in STEPS)


class RecordedEvaluation(Evaluation):
    """Evaluates with the names left out that nobody remembers."""

    __slots__ = ("_memory",)

    def __init__(self, plan: Plan, facts: Facts, segments: Sequence[str], memory: Memory) -> None:
        super().__init__(plan, facts, segments)
        self._memory = memory

    def vote(self) -> None:
        """Ask rules one by one: which of them is undetermined is to be known."""

    def ask(self, step: RuleStep) -> bool | EvaluationError:
        """Return whether the condition of a rule holds."""
        return self.truth(step.rule.test, step.scope)

    def truth(self, term: Term | None, scope: int) -> bool | EvaluationError:
        """Return whether a condition holds; raise `UndeterminedError` where that depends on what is not known."""
        if term is None or not (hidden := self._hidden(term, scope)):
            return super().truth(term, scope)
        return self._partly(term.holds, term, scope, hidden)

    def value(self, term: Term, scope: int) -> object | EvaluationError:
        """Return what a term is; raise `UndeterminedError` where that depends on what is not known."""
        if not (hidden := self._hidden(term, scope)):
            return super().value(term, scope)
        return self._partly(term.value, term, scope, hidden)

    def trace(self, term: Term, scope: int) -> Trace:
        """Return how a term comes to what it is, as far as that is known."""
        bound = self._prepared(scope, term.late)
        names = {name for name, _ in self._hidden(term, scope)}
        values = {name: value for name, value in bound.values.items() if name not in names}
        return term.expression.tracer().trace(self._plan.world.environment.activation(values))

    def _partly(
        self, evaluate: Callable[[Activation], T | EvaluationError], term: Term, scope: int, hidden: Attributes
    ) -> T | EvaluationError:
        for name, key in hidden & read_of(term, {}):
            if name in DOUBTFUL and self._memory.knowing(name, key) is Knowing.UNBOUND:
                return EvaluationError(f"{name} has no one value")
        bound = self._prepared(scope, term.late)
        names = {name for name, _ in hidden}
        values = {name: value for name, value in bound.values.items() if name not in names}
        found = evaluate(self._plan.world.environment.activation(values))
        unknown = [attribute for attribute in hidden if self._memory.knowing(*attribute) is None]
        if isinstance(found, EvaluationError) and unknown:
            raise UndeterminedError(unknown)
        return found

    def _shared(self) -> Bound:
        early = super()._shared()
        for name in (*early.values, *early.missing):
            if name in self._memory.values:
                early.missing.pop(name, None)
                early.values[name] = self._memory.values[name]
        return early

    def _bind(self, name: str, facts: Facts, bound: Bound) -> None:
        if name in self._memory.values and facts is self._facts:
            bound.values[name] = self._memory.values[name]
        else:
            super()._bind(name, facts, bound)

    def _bind_late(self, name: str, scope: int, bound: Bound) -> None:
        try:
            super()._bind_late(name, scope, bound)
        except UndeterminedError:
            bound.missing[name] = "not remembered"
            bound.activation = None

    def _hidden(self, term: Term, scope: int) -> Attributes:
        """Return what a term reads, itself or by variables, that is not known or had no value."""
        read = read_of(term, self._plan.scopes[scope].variables)
        known = (Knowing.VALUE, Knowing.ABSENT)
        return frozenset(attribute for attribute in read if self._memory.knowing(*attribute) not in known)
