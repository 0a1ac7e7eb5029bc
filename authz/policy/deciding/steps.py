"""How a decision is made: the steps of POLICY.md, section 3, each a function, in their order.

A step looks at a case and returns the verdict that ends it, or `None` to give the next one its say. An error where
there must be a value raises `Failed`, whichever step it is in, and denies. Step 4, peeking at the limits that count
denials, is the engine's: it comes before any of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from authz.model import Reason
from authz.policy import cors
from authz.policy.deciding import bodies, described
from authz.policy.deciding.answers import allow, answer, failed, objected, refused, ruled
from authz.policy.deciding.case import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authz.model import Decision
    from authz.policy.deciding.answers import Verdict
    from authz.policy.deciding.case import Case
    from authz.policy.deciding.places import RuleStep, ValidationStep

    Step = Callable[[Case], Verdict | None]


def require_one_reading(case: Case) -> Verdict | None:
    """Step 1: what is ambiguous is refused, unless every document that is enforced says how to read it."""
    ambiguities = case.facts.request.ambiguities
    return refused(Reason.AMBIGUOUS_REQUEST) if ambiguities and not ambiguities <= case.plan.permits else None


def require_policy(case: Case) -> Verdict | None:
    """Step 2: a request that no policy governs is denied; guardrails and shadows allow nothing."""
    return None if case.plan.policies else refused(Reason.NO_POLICY)


def require_identity(case: Case) -> Verdict | None:
    """Step 3: a bad credential is refused, a missing one too where it is required and no redirect rule holds."""
    error = case.facts.identity.error
    if error is not None:
        return refused(error)
    for place in case.plan.requiring:
        if not case.identified(place):
            return redirect(case) or refused(Reason.UNAUTHENTICATED, place)
    return None


def validate(case: Case) -> Verdict | None:
    """Step 5, first: every validation that applies."""
    for step in case.plan.validations:
        validation = step.validation
        if validation.when is None or case.applies(validation.when, step.place, validation.name):
            verdict = met(case, step)
            if verdict is not None:
                return verdict
    return None


def met(case: Case, step: ValidationStep) -> Verdict | None:
    """Return what one validation that applies has against the request."""
    validation = step.validation
    found = bodies.objection(validation, case.facts, case.captured(step.place))
    if found is None and validation.described is not None:
        found = described.objection(validation.described, validation, case, step.place)
    return None if found is None else objected(found, step.place, validation.name)


def deny(case: Case) -> Verdict | None:
    """Step 5, second: every deny rule."""
    case.vote()
    for step in case.plan.denials:
        if case.holds(step):
            return ruled(step, Reason.DENY_RULE)
    return None


def redirect(case: Case) -> Verdict | None:
    """Step 5, third: every redirect rule."""
    for step in case.plan.redirects:
        if case.holds(step):
            return ruled(step, Reason.REDIRECT_RULE)
    return None


def require_allow(case: Case) -> Verdict | None:
    """Step 6: every policy must allow."""
    held: list[RuleStep] = []
    for policy in case.plan.policies:
        before = len(held)
        for step in policy.rules:
            if (step.regardless or len(held) == before) and case.allows(step):
                held.append(step)
        if len(held) == before:
            return refused(Reason.NO_RULE, policy.place)
    case.held = tuple(held)
    return None


def preflight(case: Case) -> Decision:
    """Answer a preflight; its path has one reading, like any other's."""
    if (verdict := require_one_reading(case)) is not None:
        return answer(case, verdict)
    policy = next(document.name for document in case.plan.documents if document.cors is not None)
    return replace(cors.answer(case.plan.cors, case.facts.request, policy), documents=case.plan.silent)


STEPS: tuple[Step, ...] = (
    require_one_reading,
    require_policy,
    require_identity,
    validate,
    deny,
    redirect,
    require_allow,
)
"""Every step, in order; what none of them ends is allowed (steps 7 and 8)."""

SHADOW_STEPS = (require_one_reading, require_identity, validate, deny, redirect, require_allow)
"""The steps a document in shadow takes on its own: what it would have said."""


def decide(case: Case, steps: Sequence[Step] = STEPS) -> Decision:
    """Decide a case."""
    try:
        for step in steps:
            if (verdict := step(case)) is not None:
                return answer(case, verdict)
        return allow(case, case.held)
    except Failed as failure:
        case.errors.append(failure)
        return answer(case, failed(failure))
