"""What a charge is answered when its store does not answer: each limit's `on_error`.

`deny` refuses, `allow` admits, `local` counts on in this process; all or none holds here too, so one refusal leaves
the local counts alone. A shadow limit refuses nobody. An admitted limit says `degraded_allow`, so the record shows
that nobody counted for all; one that is used up locally says `over`, as it would with its store.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from authz.limits.asks import Answer, Ask
from authz.limits.plan import Plan, conclude
from authz.model import LimitOutcome, LimitUsage, OnError, Usage


class Local(Protocol):
    """Where `local` limits go on counting."""

    def ask(self, plan: Plan, count: int) -> Answer | None:
        """Charge `count` (0: look); `None` when it cannot count."""


def fall_back(plan: Plan, count: int, local: Local | None) -> Usage:
    """Return the usage of a plan nobody answers; `count` is 0 for a peek."""
    refusals = tuple(_unmetered(part) for part in plan.parts if isinstance(part, Ask) and _refuses(part, local))
    if refusals:
        return Usage(admitted=False, limits=refusals)
    asks = tuple(ask for ask in plan.asks if ask.charge.limit.on_error is OnError.LOCAL)
    counted: dict[str, LimitUsage] = {}
    if asks and local is not None:
        answer = local.ask(Plan(parts=asks, asks=asks), count)
        if answer is None:
            return fall_back(plan, count, None)
        usages = conclude(Plan(parts=asks, asks=asks), answer).limits
        counted = {ask.key: _marked(usage) for ask, usage in zip(asks, usages, strict=True)}
    limits = tuple(
        part if isinstance(part, LimitUsage) else counted.get(part.key) or _unmetered(part) for part in plan.parts
    )
    return Usage(admitted=all(usage.outcome is not LimitOutcome.OVER for usage in limits), limits=limits)


def _refuses(ask: Ask, local: Local | None) -> bool:
    on_error = ask.charge.limit.on_error
    return not ask.meter.shadow and (on_error is OnError.DENY or (on_error is OnError.LOCAL and local is None))


def _unmetered(ask: Ask) -> LimitUsage:
    refused = _refuses(ask, None)
    outcome = LimitOutcome.DEGRADED_DENY if refused else LimitOutcome.DEGRADED_ALLOW
    return LimitUsage(charge=ask.charge, outcome=outcome, remaining=0, reset=0.0)


def _marked(usage: LimitUsage) -> LimitUsage:
    if usage.outcome is not LimitOutcome.OK:
        return usage
    return msgspec.structs.replace(usage, outcome=LimitOutcome.DEGRADED_ALLOW)
