"""What rules, texts and limits say of one request, and what becomes of their errors.

An error where the answer may not go on without a value (`deny`, `redirect`, `when`, `key`, `cost`, what an allowed
request is to carry) is raised as `Failed`, and denies in one place. An error in an `allow` is kept: the rule does
not hold. What is evaluated for a limit is kept too, for it is asked early and again at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.cel import EvaluationError
from authz.model import Charge, RuleError
from authz.policy.deciding.evaluation import Evaluation
from authz.policy.template import as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.policy.deciding.places import LimitStep, Place, RuleStep
    from authz.policy.deciding.plan import Plan
    from authz.policy.facts import Facts
    from authz.policy.template import Template
    from authz.policy.terms import Term

MOST = 1_000_000_000
"""The largest cost of one request: far below where a counter loses ones."""


class Failed(Exception):
    """Something that had to have a value has none; `rule` is the rule, validation or limit of the document."""

    def __init__(self, place: Place, rule: str, error: str) -> None:
        super().__init__(error)
        self.place = place
        self.rule = rule
        self.error = RuleError(rule=f"{place.document.name}/{rule}", error=error)


class Case:
    """One request before one plan. `errors` are those met on the way, `held` the allow rules that let it through."""

    __slots__ = ("_charges", "_evaluation", "_segments", "errors", "facts", "held", "plan")

    def __init__(self, plan: Plan, facts: Facts, segments: Sequence[str]) -> None:
        self.plan = plan
        self.facts = facts
        self.errors: list[Failed] = []
        self.held: tuple[RuleStep, ...] = ()
        self._segments = segments
        self._evaluation = Evaluation(plan, facts, segments)
        self._charges: dict[LimitStep, Charge | Failed | None] = {}

    @property
    def evaluation(self) -> Evaluation:
        """Return what evaluates the expressions, for people who look at them one by one."""
        return self._evaluation

    def holds(self, step: RuleStep) -> bool:
        """Return whether a deny or redirect rule holds; raise `Failed` where its condition has no value."""
        held = self._held(step)
        if held is True or held is False:
            return held
        raise held

    def allows(self, step: RuleStep) -> bool:
        """Return whether an allow rule holds; an error in its condition is kept."""
        held = self._held(step)
        if held is True or held is False:
            return held
        self.errors.append(held)
        return False

    def _held(self, step: RuleStep) -> bool | Failed:
        """Return whether a rule holds, or that its condition has no value; raise `Failed` where its `when` has none."""
        voted = self._evaluation.voted(step)
        if voted is not None:
            return voted
        rule = step.rule
        if rule.when is not None and not self.applies(rule.when, step.place, rule.name):
            return False
        held = self._evaluation.ask(step)
        return held if held is True or held is False else Failed(step.place, rule.name, held.message)

    def vote(self) -> None:
        """Ask the rules from here on together, if they can be."""
        self._evaluation.vote()

    def applies(self, when: Term, place: Place, rule: str) -> bool:
        """Return whether a `when` holds."""
        held = self._evaluation.truth(when, place.scope)
        if held is True or held is False:
            return held
        raise Failed(place, rule, held.message)

    def text(self, template: Template, place: Place, rule: str) -> str:
        """Return the text of a template."""
        text = template.render(self._evaluation.value, place.scope)
        if isinstance(text, EvaluationError):
            raise Failed(place, rule, text.message)
        return text

    def data(self, template: Template, place: Place, rule: str) -> object:
        """Return the value of a template, of its own type where it is one whole expression."""
        value = template.value(self._evaluation.value, place.scope)
        if isinstance(value, EvaluationError):
            raise Failed(place, rule, value.message)
        return value

    def captured(self, place: Place) -> dict[str, str]:
        """Return the path parameters of a document, where any expression or validation of it reads them."""
        captures = self.plan.scopes[place.scope].captures or ()
        return {name: self._segments[position] for name, position in captures}

    def identified(self, place: Place) -> bool:
        """Return whether the caller proved who they are to a provider that counts for a document."""
        identity, providers = self.facts.identity, place.document.providers
        return identity.authenticated and (not providers or identity.provider in providers)

    def charge(self, step: LimitStep) -> Charge | None:
        """Return what a limit is to be charged, `None` where it does not apply or the request costs nothing."""
        if step not in self._charges:
            try:
                self._charges[step] = self._charge(step)
            except Failed as failed:
                self._charges[step] = failed
        charge = self._charges[step]
        if isinstance(charge, Failed):
            raise charge
        return charge

    def foreseen(self, step: LimitStep) -> Charge | None:
        """Return what a limit is to be charged as far as that can be told already."""
        try:
            return self.charge(step)
        except Failed:
            return None

    def _charge(self, step: LimitStep) -> Charge | None:
        limit = step.limit
        if limit.when is not None and not self.applies(limit.when, step.place, limit.name):
            return None
        key = tuple(self._key(term, step) for term in limit.key)
        cost = 1 if limit.cost is None else self._cost(limit.cost, step)
        return Charge(limit=limit.limit, key=key, cost=cost) if cost else None

    def _key(self, term: Term, step: LimitStep) -> str:
        text = as_text(self._evaluation.value(term, step.place.scope))
        if isinstance(text, EvaluationError):
            raise Failed(step.place, step.limit.name, text.message)
        return text

    def _cost(self, term: Term, step: LimitStep) -> int:
        cost = self._evaluation.value(term, step.place.scope)
        if isinstance(cost, EvaluationError):
            raise Failed(step.place, step.limit.name, cost.message)
        if type(cost) is not int or not 0 <= cost <= MOST:
            raise Failed(step.place, step.limit.name, f"a cost is a whole number from 0 to {MOST}")
        return cost
