"""Limits counted in this process: exact for one process, unknown to any other.

The contract and the arithmetic are those of the Redis store. The number of counters is bounded: what has become
whole again is dropped as the store grows, and when `max_keys` live ones remain, one that is not known yet cannot be
opened. Dropping a live one instead would let a flood of made-up callers wash away everybody's count; so the charge
is answered by its limit's `on_error`, where `local`, with no other place to turn to, denies.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

from authz.limits.algorithms import MICROSECONDS, State, tally
from authz.limits.asks import PER_ASK, Answer, Ask
from authz.limits.busiest import Busiest
from authz.limits.degraded import fall_back
from authz.limits.plan import Plan, Planner, conclude
from authz.model import Charge, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MAX_KEYS = 100_000
_FIRST_SWEEP = 1024


class Counters:
    """The counters themselves. `seed` gives the state a counter starts from where it is not known yet."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        max_keys: int = MAX_KEYS,
        seed: Callable[[Ask], State | None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._seed = seed
        self._lock = Lock()
        self._states: dict[str, tuple[State, float]] = {}
        self._sweep_size = min(_FIRST_SWEEP, max_keys)
        self._sweep_time = 0.0

    def __len__(self) -> int:
        return len(self._states)

    def ask(self, plan: Plan, count: int) -> Answer | None:
        """Charge `count` equal plans, as many as fit; 0 only looks. `None` when no more counters can be opened."""
        now = float(round(self._clock() * MICROSECONDS))
        with self._lock:
            found = [(ask.meter, ask.charge.cost, self._state(ask)) for ask in plan.asks]
            admitted, numbers, states = tally(found, count, now)
            if admitted and not self._has_space(plan, now):
                return None
            if admitted:
                for place, (ask, state) in enumerate(zip(plan.asks, states, strict=True)):
                    self._states[ask.key] = (state, now + numbers[place * PER_ASK + 2])
        return Answer(admitted=admitted, numbers=numbers)

    def forget(self, keys: Iterable[str]) -> None:
        """Drop counters, as if they had never been charged."""
        with self._lock:
            for key in keys:
                self._states.pop(key, None)

    def _state(self, ask: Ask) -> State | None:
        known = self._states.get(ask.key)
        return known[0] if known else self._seed(ask)

    def _has_space(self, plan: Plan, now: float) -> bool:
        if len(self._states) + len(plan.asks) > self._sweep_size and now >= self._sweep_time:
            self._states = {key: known for key, known in self._states.items() if known[1] > now}
            self._sweep_size = min(self._max_keys, max(_FIRST_SWEEP, 2 * len(self._states)))
            self._sweep_time = now + MICROSECONDS  # a full store is not searched for every charge
        new = sum(ask.key not in self._states for ask in plan.asks)
        return len(self._states) + new <= self._max_keys


class MemoryLimiter:
    """A store in memory. `clock` is seconds since the epoch; fixed windows are cut from it."""

    def __init__(
        self, *, clock: Callable[[], float] = time.time, max_keys: int = MAX_KEYS, secret: bytes = b""
    ) -> None:
        self._planner = Planner(secret)
        self._counters = Counters(clock=clock, max_keys=max_keys)
        self._max_keys = max_keys
        self._busiest = Busiest()
        self.degraded = 0

    def start(self) -> None:
        """Open nothing: there is nothing to open."""

    def close(self) -> None:
        """Close nothing: the counts end with the process."""

    def status(self) -> dict[str, object]:
        """Return what `/status` shows."""
        return {
            "store": "memory",
            "connected": True,
            "keys": len(self._counters),
            "max_keys": self._max_keys,
            "busiest": self._busiest.status(),
        }

    def charge(self, charges: Sequence[Charge], deadline: float, done: Callable[[Usage], None]) -> None:  # noqa: ARG002 - answered at once
        """Charge all or none; `done` is called before this returns."""
        done(self._usage(charges, 1))

    def peek(self, charges: Sequence[Charge], deadline: float, done: Callable[[Usage], None]) -> None:  # noqa: ARG002 - answered at once
        """Say what a charge would be answered, and charge nothing."""
        done(self._usage(charges, 0))

    def _usage(self, charges: Sequence[Charge], count: int) -> Usage:
        plan = self._planner.plan(charges)
        if isinstance(plan, Usage):
            return plan
        self._busiest.saw(plan)
        answer = self._counters.ask(plan, count)
        if answer is not None:
            return conclude(plan, answer)
        self.degraded += 1
        return fall_back(plan, count, None)
