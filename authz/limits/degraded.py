"""What a charge is answered when its store does not answer: each limit's `on_error`.

`deny` refuses, `allow` admits, `local` counts on in this process; all or none holds here too, so one refusal leaves
the local counts alone. A shadow limit refuses nobody. A limit that admits says `degraded_allow`, so the record
shows that it was not counted for all processes; one that is used up locally says `over`, as it would with its store.
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
    counted = {} if local is None else _counted(plan, count, local)
    if counted is None:
        return fall_back(plan, count, None)
    limits = tuple(
        part if isinstance(part, LimitUsage) else counted.get(part.key) or _unmetered(part) for part in plan.parts
    )
    return Usage(admitted=all(usage.outcome is not LimitOutcome.OVER for usage in limits), limits=limits)


def _counted(plan: Plan, count: int, local: Local) -> dict[str, LimitUsage] | None:
    """Return the usages of the limits that go on counting here, by key; `None` where they can't."""
    asks = tuple(ask for ask in plan.asks if ask.charge.limit.on_error is OnError.LOCAL)
    if not asks:
        return {}
    here = Plan(parts=asks, asks=asks)
    answer = local.ask(here, count)
    if answer is None:
        return None
    return {ask.key: _marked(usage) for ask, usage in zip(asks, conclude(here, answer).limits, strict=True)}


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
