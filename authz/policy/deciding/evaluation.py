"""The expressions of a plan, evaluated for one request.

Names are bound as the plan says: first those that are cheap, all together, then each late one before the first term
that reads it, at most once. A name without a value is left out, so that reading it is an error; why it has none is
kept for whoever asks about the error. Nothing here knows what a rule is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from authz.cel import EvaluationError
from authz.model import ANONYMOUS
from authz.policy.attributes import ATTRIBUTES
from authz.policy.deciding.ballot import AFTER, ballot
from authz.policy.deciding.places import PARAMS
from authz.policy.facts import Facts, UnboundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.cel import Activation, Trace
    from authz.policy.deciding.places import RuleStep, Scope
    from authz.policy.deciding.plan import Plan
    from authz.policy.terms import Term


class Bound:
    """The names of one scope: their values, why others have none, and the engine's form of them until one is added."""

    __slots__ = ("activation", "missing", "values")

    def __init__(self, values: dict[str, object], missing: dict[str, str]) -> None:
        self.values = values
        self.missing = missing
        self.activation: Activation | None = None


class Evaluation:
    """One request before the expressions of one plan."""

    __slots__ = ("_asked", "_bound", "_doubts", "_early", "_facts", "_plan", "_segments", "_votes")

    def __init__(self, plan: Plan, facts: Facts, segments: Sequence[str]) -> None:
        self._plan = plan
        self._facts = plan.informed(facts)
        self._segments = segments
        self._doubts: dict[str, frozenset[str]] = {}
        self._early: Bound | None = None
        self._bound: list[Bound | None] = [None] * len(plan.scopes)
        self._votes: int | None = None
        self._asked = 0

    def vote(self) -> None:
        """Ask all rules at once, where the plan has a question for that; from here on they are asked in its order."""
        plan = self._plan
        if plan.uses < AFTER:
            plan.uses += 1
            if plan.uses == AFTER:
                plan.ballot = ballot(plan)
        if plan.ballot is None:
            return
        bound = self._prepared(0)
        if not self._doubts:
            votes = plan.ballot.expression.value(self._activation(bound))
            self._votes = votes if isinstance(votes, int) else None
            self._asked = plan.ballot.asked

    def voted(self, step: RuleStep) -> bool | None:
        """Return whether a rule holds, `None` where it has to be asked by itself."""
        return None if self._votes is None or not step.bit & self._asked else self._votes & step.bit != 0

    def ask(self, step: RuleStep) -> bool | EvaluationError:
        """Return whether the condition of a rule holds; the straight way for the many that need nothing late."""
        bound = self._bound[step.scope]
        if step.ask is None or bound is None or bound.activation is None or self._doubts:
            return self.truth(step.rule.test, step.scope)
        held = step.ask(bound.activation)
        return held if held is True or held is False else self.truth(step.rule.test, step.scope)

    def truth(self, term: Term | None, scope: int) -> bool | EvaluationError:
        """Return whether a condition holds; one that was left out does."""
        if term is None:
            return True
        bound = self._prepared(scope, term.late)
        doubt = self._doubt(term)
        held = term.holds(self._activation(bound)) if doubt is None else doubt
        return self._explained(held, term, bound) if isinstance(held, EvaluationError) else held

    def value(self, term: Term, scope: int) -> object | EvaluationError:
        """Return what a term is."""
        bound = self._prepared(scope, term.late)
        if term.direct is not None and type(value := bound.values.get(term.direct)) is str and _is_plain(value):
            return value
        doubt = self._doubt(term)
        value = term.value(self._activation(bound)) if doubt is None else doubt
        return self._explained(value, term, bound) if isinstance(value, EvaluationError) else value

    def trace(self, term: Term, scope: int) -> Trace:
        """Return how a term comes to what it is, part by part; slow, and for people."""
        bound = self._prepared(scope, term.late)
        return term.expression.tracer().trace(self._activation(bound))

    def _activation(self, bound: Bound) -> Activation:
        activation = bound.activation
        if activation is None:
            activation = bound.activation = self._plan.world.environment.activation(bound.values)
        return activation

    def _prepared(self, scope: int, late: Sequence[str] = ()) -> Bound:
        """Return the names of a scope, with late ones that are needed now."""
        bound = self._bound[scope]
        if bound is None:
            bound = self._bound[scope] = self._enter(self._plan.scopes[scope])
        for name in late:
            if name not in bound.values and name not in bound.missing:
                self._bind_late(name, scope, bound)
        return bound

    def _bind_late(self, name: str, scope: int, bound: Bound) -> None:
        variable = self._plan.scopes[scope].variables.get(name)
        if variable is None:
            self._bind(name, self._facts, bound)
        elif isinstance(value := self.value(variable, scope), EvaluationError):
            bound.missing[name] = value.message
        else:
            bound.values[name] = value
        bound.activation = None

    def _bind(self, name: str, facts: Facts, bound: Bound) -> None:
        try:
            bound.values[name] = ATTRIBUTES[name](facts)
        except UnboundError as error:
            bound.missing[name] = str(error)

    def _enter(self, scope: Scope) -> Bound:
        """Return the names of a scope before anything late: what all scopes share, and what is its own."""
        early = self._early or self._shared()
        bound = early if len(self._bound) == 1 else Bound(early.values.copy(), early.missing.copy())
        if scope.captures is not None:
            segments = self._segments
            bound.values[PARAMS] = {name: segments[position] for name, position in scope.captures}
        identity = self._facts.identity
        if scope.accepts is not None and identity.authenticated and identity.provider not in scope.accepts:
            self._hide_identity(bound)
        return bound

    def _shared(self) -> Bound:
        """Bind the names that are cheap and the same in every scope, and note which keys of them are in doubt."""
        plan, facts = self._plan, self._facts
        early = self._early = Bound(plan.data.copy(), {})
        for name, expiring in plan.expiring.items():
            early.values[name] = expiring.at(facts.request.time)
        for name, read in plan.attributes:
            try:
                early.values[name] = read(facts)
            except UnboundError as error:
                early.missing[name] = str(error)
        for name, doubtful in plan.doubtful:
            if name in early.values and (keys := doubtful(facts)):
                self._doubts[name] = keys
        return early

    def _hide_identity(self, bound: Bound) -> None:
        """Show nobody where the caller proved who they are to a provider that does not count here."""
        anonymous = msgspec.structs.replace(self._facts, identity=ANONYMOUS)
        for name in [name for name in (*bound.values, *bound.missing) if name.startswith("identity.")]:
            bound.values.pop(name, None)
            bound.missing.pop(name, None)
            self._bind(name, anonymous, bound)

    def _doubt(self, term: Term) -> EvaluationError | None:
        """Return an error where a term may read a key that is in doubt."""
        if not self._doubts:
            return None
        for attribute in term.expression.reads:
            keys = self._doubts.get(attribute.variable)
            if keys is not None and (not attribute.keys or attribute.keys[0] in keys):
                return EvaluationError(f"{attribute} has no one value")
        return None

    def _explained(self, error: EvaluationError, term: Term, bound: Bound) -> EvaluationError:
        """Return an error with the reasons why names that the term reads have no value."""
        causes = [
            f"{name}: {bound.missing[name]}" for name in sorted(term.expression.variables) if name in bound.missing
        ]
        return EvaluationError("; ".join(causes)) if causes else error


def _is_plain(text: str) -> bool:
    """Tell whether an engine would give a text back as it is: it does not take NUL."""
    return text.isascii() and "\0" not in text
