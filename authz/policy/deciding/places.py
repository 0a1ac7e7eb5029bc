"""Where documents stand in a plan, and what of them is asked there: the parts a plan is made of.

There can be thousands of plans, each of many parts. No part leads back to what holds it, so the garbage collector need
not look at them (`gc=False`): requests would wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz.cel import Activation, EvaluationError
    from authz.policy.compiled import Document, Limit, Rule, Validation
    from authz.policy.terms import Term

PARAMS = "request.params"
"""The one name that depends on the template by which a document was reached."""

DATA = "data."
"""What the names of data begin with."""


class Scope(msgspec.Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """What some documents read in the same way, beyond what everybody does.

    `captures` are the names and positions of `request.params`, `None` where nobody reads them; `accepts` the providers
    whose identities are seen, `None` for any.
    """

    captures: tuple[tuple[str, int], ...] | None = None
    accepts: frozenset[str] | None = None
    variables: Mapping[str, Term] = {}

    def joined(self, other: Scope) -> Scope | None:
        """Return one scope for both, or `None` where they differ."""
        captures = self.captures if other.captures is None else other.captures
        if self.captures not in {None, captures} or self.accepts != other.accepts:
            return None
        if any(self.variables[name] is not other.variables[name] for name in self.variables.keys() & other.variables):
            return None
        return Scope(captures=captures, accepts=self.accepts, variables={**self.variables, **other.variables})


class Place(msgspec.Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """A document in a plan: where it stands, and the scope its expressions are evaluated in."""

    document: Document
    position: int
    scope: int


class RuleStep(msgspec.Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """A rule in a plan. `ask` is its condition where that needs nothing late; `bit` its own in the ballot, or 0.

    An allow rule that `changes` something, or whose `when` could have no value, is asked `regardless` of those before:
    what a rule adds to an answer must not decide whether its error counts.
    """

    place: Place
    rule: Rule
    scope: int
    bit: int
    ask: Callable[[Activation], bool | EvaluationError] | None
    allows: bool
    changes: bool
    regardless: bool


class ValidationStep(msgspec.Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """A validation in a plan."""

    place: Place
    validation: Validation


class LimitStep(msgspec.Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """A limit in a plan; what is in shadow can fail without consequence."""

    place: Place
    limit: Limit
    shadow: bool


class PolicyStep(msgspec.Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """A policy in a plan, with its allow rules."""

    place: Place
    rules: tuple[RuleStep, ...]
