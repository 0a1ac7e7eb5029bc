"""What documents and rules in shadow would have said: recorded beside the decision, never part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from authz.model import DocumentTrace, Effect, Mode
from authz.policy.deciding.answers import charged, failed
from authz.policy.deciding.case import Failed
from authz.policy.deciding.steps import SHADOW_STEPS
from authz.policy.facts import UNTOLD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz.model import Decision
    from authz.policy.deciding.answers import Verdict
    from authz.policy.deciding.case import Case
    from authz.policy.deciding.plan import Plan
    from authz.policy.facts import Facts

_WOULD = {Effect.ALLOW: "allow", Effect.DENY: "would_deny", Effect.REDIRECT: "would_redirect"}


def seen(shadow: Plan, facts: Facts) -> Facts:
    """Return facts as a document in shadow is told them: who is calling by its own providers, where it has further."""
    return replace(facts, identity=facts.tried) if shadow.tried and facts.tried is not None else facts


def observed(decision: Decision, case: Case, shadows: Sequence[Case]) -> Decision:
    """Return a decision with what is in shadow on record, and with the charges of limits in shadow."""
    traces = [trace for own in (case, *shadows) for trace in _rules(own)]
    traces += [_document(shadow) for shadow in shadows]
    charges = [charge for shadow in shadows for charge in charged(shadow, decision.effect)]
    return replace(decision, documents=(*decision.documents, *traces), charges=(*decision.charges, *charges))


def _document(case: Case) -> DocumentTrace:
    """Return what a document in shadow would have said on its own."""
    silent = case.plan.silent[0]
    if case.facts.identity is UNTOLD:
        return replace(silent, error="who is calling was not known at once, and nobody waits for what is in shadow")
    verdict = _verdict(case)
    if verdict is not None:
        return replace(silent, outcome=_WOULD[verdict.effect], rule=verdict.rule, error=verdict.error)
    error = str(case.errors[0]) if case.errors else None
    if not case.held:
        return replace(silent, error=error)
    return replace(silent, outcome="allow", rule=case.held[0].rule.name, error=error)


def _verdict(case: Case) -> Verdict | None:
    try:
        return next((verdict for step in SHADOW_STEPS if (verdict := step(case)) is not None), None)
    except Failed as failure:
        return failed(failure)


def _rules(case: Case) -> Iterator[DocumentTrace]:
    """Yield what the rules in shadow of documents would have done."""
    for step in case.plan.shadow_rules:
        trace = replace(
            case.plan.silent[step.place.position],
            mode=Mode.SHADOW,
            outcome=_WOULD[step.rule.effect],
            rule=step.rule.name,
        )
        try:
            if case.holds(step):
                yield trace
        except Failed as failure:
            yield replace(trace, outcome="none" if step.allows else "would_deny", error=str(failure))
