"""What the caller is told in the end: the ladder from what was decided and charged to one decision."""

from __future__ import annotations

import msgspec

from authz.model import STATUS, Decision, Effect, LimitOutcome, Reason, Usage


def conclude(decision: Decision, usage: Usage, *, cancelled: bool, late: bool, unrecorded: bool = False) -> Decision:
    """Settle what the caller is told: the first rung that holds."""
    # Nobody is listening any more: whatever was decided, no allow may be on record as given.
    if cancelled:
        return refused(Reason.CANCELLED, decision)
    # A denial stands, whatever the limits said: the charges of a denial only count.
    if decision.effect is not Effect.ALLOW:
        return decision
    # Envoy has given up or is about to: an allow that comes too late would meet `failure_mode_allow` instead.
    if late:
        return refused(Reason.DEADLINE, decision)
    # Where nobody may be let in without a record, nobody is; a caller who is over a limit as well is told this first.
    if unrecorded:
        return refused(Reason.UNRECORDED, decision)
    # The policies allow; the limits have the last word.
    if not usage.admitted:
        return limited(usage, decision)
    return decision


def refused(reason: Reason, decision: Decision | None = None) -> Decision:
    """Deny for a reason no rule gave, keeping the trace of a decision that is being turned."""
    if decision is None:
        return _REFUSALS[reason]
    return msgspec.structs.replace(
        _REFUSALS[reason], policy=decision.policy, rule=decision.rule, documents=decision.documents,
        errors=decision.errors, reads=decision.reads, cors=decision.cors,
    )  # fmt: skip


def limited(usage: Usage, decision: Decision | None = None) -> Decision:
    """Deny because of the limits: 429 where one is exhausted, 503 where one can't be asked and says `deny`."""
    over = any(limit.outcome is LimitOutcome.OVER for limit in usage.limits)
    return refused(Reason.RATE_LIMITED if over else Reason.LIMITER_DEGRADED, decision)


_REFUSALS: dict[Reason, Decision] = {
    reason: Decision(effect=Effect.DENY, reason=reason, status=STATUS[reason])
    for reason in Reason
    if reason not in {Reason.ALLOWED, Reason.REDIRECT_RULE, Reason.PREFLIGHT}
}
