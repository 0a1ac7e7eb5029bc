"""Limits for tests: counted in memory on the test's own clock, by the code that counts in service.

`down` plays an outage of the store: each limit's `on_error` decides then, and `local` begins from what the store last
said, just as beside Redis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.limits.degraded import fall_back
from authz.limits.local import LocalShare
from authz.limits.memory import MemoryLimiter
from authz.limits.plan import Plan, Planner

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authz.model import Charge, Usage


class Counting:
    """A limiter. `down` says that the store does not answer."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.down = False
        self._store = MemoryLimiter(clock=clock)
        self._local = LocalShare(clock=clock)
        self._planner = Planner()

    def charge(self, charges: Sequence[Charge], deadline: float, done: Callable[[Usage], None]) -> None:
        """Take all charges or none."""
        if self.down:
            done(self._fallen_back(charges, 1))
        else:
            self._store.charge(charges, deadline, lambda usage: done(self._noted(charges, usage)))

    def peek(self, charges: Sequence[Charge], deadline: float, done: Callable[[Usage], None]) -> None:
        """Take nothing and say whether all would fit."""
        if self.down:
            done(self._fallen_back(charges, 0))
        else:
            self._store.peek(charges, deadline, done)

    def _fallen_back(self, charges: Sequence[Charge], count: int) -> Usage:
        plan = self._planner.plan(charges)
        return fall_back(plan, count, self._local) if isinstance(plan, Plan) else plan

    def _noted(self, charges: Sequence[Charge], usage: Usage) -> Usage:
        """Take note of what the store said, as `limits.redis` does."""
        plan = self._planner.plan(charges)
        if isinstance(plan, Plan) and len(plan.parts) == len(usage.limits):  # else it was refused without being counted
            self._local.saw(plan, usage)
        return usage
