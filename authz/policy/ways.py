"""What stood in the way of a request that was not allowed: what would have had to be otherwise.

Read off an explanation that is made already; nothing is asked again here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.model import Effect, LimitOutcome, Mode, Reason
from authz.policy.explained import Missing, Said, Way

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from authz.model import Decision
    from authz.policy.explained import ShownDocument

_MET = frozenset({"met", "does not apply"})

_BEFORE_RULES: Mapping[Reason, str] = {
    Reason.AMBIGUOUS_REQUEST: "a path that reads one way",
    Reason.UNAUTHENTICATED: "a credential",
    Reason.INVALID_CREDENTIALS: "a credential that is good",
    Reason.IDENTITY_UNAVAILABLE: "an identity provider that answers",
}
"""What is missing where no rule was asked."""


def ways(documents: Sequence[ShownDocument], decision: Decision) -> Iterator[Way]:
    """Yield what stood in the way of an allow, in the order in which it is asked."""
    if decision.effect is Effect.ALLOW:
        return
    if decision.reason is Reason.NO_POLICY:
        yield Way(document="", missing=(Missing(text="a policy that governs the request"),))
    if decision.reason in _BEFORE_RULES:
        yield Way(document=decision.policy or "", missing=(Missing(text=_BEFORE_RULES[decision.reason]),))
    enforced = [document for document in documents if document.mode is Mode.ENFORCE]
    for step in (_refusing, _allowing, _limiting):
        yield from step(enforced)


def _refusing(documents: Iterable[ShownDocument]) -> Iterator[Way]:
    """Yield what is against the request: validations that are not met, rules that deny or send it elsewhere."""
    for document in documents:
        for name, said in document.validations.items():
            if said not in _MET:
                yield Way(document=document.name, rule=name, missing=(Missing(text="the validation", found=said),))
        for rule in document.rules:
            if rule.effect is not Effect.ALLOW and rule.mode is Mode.ENFORCE and rule.said in {Said.HOLDS, Said.ERROR}:
                yield Way(document=document.name, rule=rule.name, missing=rule.missing)


def _allowing(documents: Iterable[ShownDocument]) -> Iterator[Way]:
    """Yield what every policy lacks of which no allow rule holds: one of its rules would do."""
    for document in documents:
        allows = [rule for rule in document.rules if rule.effect is Effect.ALLOW and rule.mode is Mode.ENFORCE]
        if document.kind == "Policy" and not any(rule.said is Said.HOLDS for rule in allows):
            if not allows:
                yield Way(document=document.name, missing=(Missing(text="an allow rule"),))
            for rule in allows:
                yield Way(document=document.name, rule=rule.name, missing=rule.missing)


def _limiting(documents: Iterable[ShownDocument]) -> Iterator[Way]:
    for document in documents:
        for limit in document.limits:
            if limit.outcome in {LimitOutcome.OVER, LimitOutcome.DEGRADED_DENY}:
                found = f"{limit.remaining} left, whole again in {limit.reset} s"
                yield Way(document=document.name, missing=(Missing(text=f"limit {limit.name}", found=found),))
