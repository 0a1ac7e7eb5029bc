"""Counting on in this process while Redis does not answer: `on_error: local`.

Each of `processes` processes takes its share of a limit, and begins from its share of what Redis last said remained,
so all together stay within the limit if they are as many as they say. A limit of fewer requests than there are
processes grants each of them one. Where nothing was heard of a counter it begins whole: at most one extra limit per
outage. Once Redis answers about a counter again, what was counted here is forgotten; it is not charged afterwards.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from authz.limits.algorithms import MICROSECONDS, Meter, State, meter
from authz.limits.asks import Answer, Ask
from authz.limits.memory import Counters
from authz.limits.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz.model import Limit, Usage

MAX_SEEN = 100_000


class LocalShare:
    """This process's share. `clock` is seconds since the epoch."""

    def __init__(self, processes: int = 1, *, clock: Callable[[], float] = time.time, max_seen: int = MAX_SEEN) -> None:
        self._processes = processes
        self._clock = clock
        self._max_seen = max_seen
        self._seen: dict[str, tuple[int, float]] = {}
        self._shares: dict[int, tuple[Meter, Meter]] = {}
        self._counters = Counters(clock=clock, seed=self._seeded)

    def saw(self, plan: Plan, usage: Usage) -> None:
        """Take note of what Redis said, which is one usage for each part of the plan."""
        now, seen = self._clock(), self._seen
        for part, each in zip(plan.parts, usage.limits, strict=True):
            if type(part) is Ask:
                if part.key not in seen and len(seen) >= self._max_seen:
                    del seen[next(iter(seen))]
                seen[part.key] = each.remaining, now
        if len(self._counters):
            self._counters.forget(ask.key for ask in plan.asks)

    def ask(self, plan: Plan, count: int) -> Answer | None:
        """Charge this process's share; `None` when it cannot count, or could never hold the cost."""
        asks = tuple(
            msgspec.structs.replace(ask, meter=self._share(ask.meter)) if self._processes > 1 else ask
            for ask in plan.asks
        )
        if any(ask.charge.cost > ask.meter.capacity for ask in asks):
            return None
        return self._counters.ask(Plan(parts=asks, asks=asks), count)

    def _share(self, whole: Meter) -> Meter:
        known = self._shares.get(id(whole))
        if known is None:
            if len(self._shares) >= self._max_seen:
                self._shares.clear()
            known = self._shares[id(whole)] = (whole, meter(_divided(whole.limit, self._processes)))
        return known[1]

    def _seeded(self, ask: Ask) -> State | None:
        seen = self._seen.get(ask.key)
        if seen is None:
            return None
        remaining, when = seen
        spent = ask.meter.capacity - min(ask.meter.capacity, remaining // self._processes)
        return ask.meter.spend(ask.meter.settle(None, float(round(when * MICROSECONDS))), spent)


def _divided(limit: Limit, processes: int) -> Limit:
    burst = None if limit.burst is None else max(1, limit.burst // processes)
    return msgspec.structs.replace(limit, requests=max(1, limit.requests // processes), burst=burst)
