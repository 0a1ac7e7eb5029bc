"""One request, decided by two sets of policies: what the second would have said, and whether that differs.

Of the two only what policies say is compared, before any limit: limits are charged for what is answered, and nobody is
answered twice. Who is calling is taken from the answer that was given, as far as the other policies would have asked
the same providers for the same proofs. Pure: no clock, no thread.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from authz.model import ANONYMOUS, Effect, Reason
from authz.policy import IdentityProvider

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz.model import Decision, Identity, Outcome, Request
    from authz.policy import PolicySet


class Comparison(StrEnum):
    """What came of looking at one request twice; the label of a metric. Closed."""

    SAME = "same"
    NEWLY_DENIED = "newly_denied"
    NEWLY_ALLOWED = "newly_allowed"
    CHANGED = "changed"
    UNDETERMINED = "undetermined"
    SKIPPED = "skipped"


DISAGREEMENTS = frozenset({Comparison.NEWLY_DENIED, Comparison.NEWLY_ALLOWED, Comparison.CHANGED})

TURNED = frozenset({Reason.RATE_LIMITED, Reason.LIMITER_DEGRADED, Reason.DEADLINE, Reason.UNRECORDED})
"""Reasons that turn what policies had allowed; what they allowed it with is not known any more."""

UNDECIDED = frozenset({Reason.CANCELLED, Reason.INTERNAL_ERROR, Reason.OVERLOADED, Reason.MALFORMED})
"""Reasons that say nothing of what policies had said, if they were asked at all."""

_LET_IN = frozenset({Effect.ALLOW, Effect.ANSWER})


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What one side says of a request, for people and records."""

    decision: Effect
    reason: Reason
    status: int
    policy: str | None
    rule: str | None


class Pair:
    """Live policies and a candidate, and which providers mean the same to both."""

    def __init__(self, live: PolicySet, candidate: PolicySet) -> None:
        self._live = live
        self._candidate = candidate
        theirs = _proofs(live)
        self._alike = frozenset(name for name, proof in _proofs(candidate).items() if theirs.get(name) == proof)

    def caller(self, request: Request, identity: Identity) -> Identity | None:
        """Return who the candidate would say is calling, given who the live policies say is; `None`: not known."""
        asked = self._candidate.select(request).providers
        if not asked:
            return ANONYMOUS
        if asked != self._live.select(request).providers or not self._alike.issuperset(asked):
            return None
        return identity


def _proofs(policies: PolicySet) -> Mapping[str, object]:
    """Return what identity providers want to see, by name; equal where callers prove themselves alike."""
    return {each.name: each.spec for each in policies.written if isinstance(each, IdentityProvider)}


def policies_said(outcome: Outcome) -> Decision | None:
    """Return what the live policies said before limits and deadlines had their word; `None` where that is not known."""
    decision = outcome.decision
    if decision.reason in UNDECIDED:
        return None
    if decision.reason in TURNED:
        return msgspec.structs.replace(decision, effect=Effect.ALLOW) if decision.documents else None
    return decision


def compare(live: Decision, candidate: Decision) -> Comparison:
    """Say how a candidate's decision differs from what live policies said (`policies_said`)."""
    was, now = live.effect in _LET_IN, candidate.effect in _LET_IN
    if was != now:
        return Comparison.NEWLY_ALLOWED if now else Comparison.NEWLY_DENIED
    if live.reason in TURNED:
        same = (live.policy, live.rule) == (candidate.policy, candidate.rule)
    else:
        same = _told(live) == _told(candidate)
    return Comparison.SAME if same else Comparison.CHANGED


def said(decision: Decision) -> Said:
    """Return what is told of a decision."""
    return Said(
        decision=decision.effect,
        reason=Reason.ALLOWED if decision.effect is Effect.ALLOW else decision.reason,
        status=200 if decision.effect is Effect.ALLOW else decision.status,
        policy=decision.policy,
        rule=decision.rule,
    )


def _told(decision: Decision) -> Decision:
    """Return the part of a decision that its caller, or what is behind Envoy, would notice."""
    return msgspec.structs.replace(decision, documents=(), errors=(), charges=(), unmet=(), reads=None)
