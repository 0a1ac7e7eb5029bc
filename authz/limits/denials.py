"""Who is known to be over, and until when: repeated attempts are refused here and cost Redis nothing.

Exact for every algorithm: whatever others do can only make the time to come back later, never earlier. Only of a leased
limit may they give back what they hold, so a refusal of one is believed no longer than a block can live. The time
counts from when the question was sent, so an entry ends early rather than late. It holds for the same `Limit`
object only, so a reload that may have raised the limit asks anew, and for costs at least as high as the one refused.
The oldest entries make room for new ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.limits.asks import Denial
from authz.limits.lease import LIFE
from authz.model import LimitOutcome, LimitUsage, Usage

if TYPE_CHECKING:
    from authz.limits.asks import Ask
    from authz.limits.plan import Plan

MAX_DENIALS = 65_536


class Denials:
    """Written by the limiter thread, read by any. Times are `time.monotonic()` seconds, passed in."""

    def __init__(self, size: int = MAX_DENIALS) -> None:
        self._size = size
        self._known: dict[str, Denial] = {}

    def __len__(self) -> int:
        return len(self._known)

    def refusal(self, plan: Plan, now: float) -> Usage | None:
        """Return the refusal that is certain without asking; it names the limits known to be over and no other."""
        if not self._known:
            return None
        over = tuple([usage for ask in plan.asks if (usage := self._over(ask, now)) is not None])
        return Usage(admitted=False, limits=over) if over else None

    def learn(self, plan: Plan, usage: Usage, sent_at: float) -> None:
        """Keep what a refusal says of the limits that are over."""
        if not self._size:
            return
        refused = {id(each.charge): each for each in usage.limits if each.outcome is LimitOutcome.OVER}
        for ask in plan.asks:
            each = refused.get(id(ask.charge))
            if each is None or not each.retry_after:
                continue
            self._known.pop(ask.key, None)
            if len(self._known) >= self._size:
                del self._known[next(iter(self._known))]
            until = sent_at + (min(each.retry_after, LIFE) if ask.meter.leased else each.retry_after)
            self._known[ask.key] = Denial(
                meter=ask.meter, cost=ask.charge.cost, remaining=each.remaining, reset=each.reset,
                retry_after=each.retry_after, seen_at=sent_at, until=until,
            )  # fmt: skip

    def clear(self) -> None:
        """Forget everything, for counters that were reset by hand."""
        self._known.clear()

    def _over(self, ask: Ask, now: float) -> LimitUsage | None:
        denial = self._known.get(ask.key)
        if denial is None or now >= denial.until or denial.meter is not ask.meter:
            return None
        if ask.charge.cost < denial.cost:
            return None
        return LimitUsage(
            charge=ask.charge,
            outcome=LimitOutcome.OVER,
            remaining=denial.remaining,
            reset=max(0.0, denial.reset - (now - denial.seen_at)),
            retry_after=max(0.0, denial.retry_after - (now - denial.seen_at)),
        )
