"""When to stop asking a server that does not answer, and when to ask again: a state machine without a clock.

Closed: ask. Open: nobody asks, nobody waits. Half-open: one real call is the probe; the others do not wait for it.
The pause doubles with each failed probe up to `longest`, and a random part of it keeps many processes from coming
back at one moment.
"""

from __future__ import annotations

import random
from enum import StrEnum


class BreakerState(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Opens after `threshold` failures in a row, or when half of at least `volume` calls in a second failed.

    Times are `time.monotonic()` seconds, passed in. One thread reports; any may ask `allows`.
    """

    def __init__(
        self,
        *,
        threshold: int = 5,
        volume: int = 20,
        shortest: float = 0.25,
        longest: float = 0.4,
        seed: int | None = None,
    ) -> None:
        self._threshold = threshold
        self._volume = volume
        self._shortest = shortest
        self._longest = longest
        self._random = random.Random(seed)  # noqa: S311 - spreads retries, guards nothing
        self._in_row = 0
        self._second = 0
        self._calls = 0
        self._failures = 0
        self._pause = shortest
        self._probing = False
        self.state = BreakerState.CLOSED
        self.retry_at = 0.0
        self.opened = 0

    def allows(self) -> bool:
        """Say whether a call may go; in half-open, yes to the first that asks."""
        if self.state is BreakerState.CLOSED:
            return True
        if self.state is BreakerState.OPEN or self._probing:
            return False
        self._probing = True
        return True

    def succeeded(self, now: float, calls: int = 1) -> None:
        """Report calls that were answered; the first one after a trip closes the breaker."""
        self._in_row = 0
        self._count(now, calls, 0)
        if self.state is BreakerState.HALF_OPEN:
            self.state = BreakerState.CLOSED
            self._pause = self._shortest

    def failed(self, now: float, calls: int = 1) -> None:
        """Report calls that were not."""
        self._in_row += calls
        self._count(now, calls, calls)
        half = self._calls >= self._volume and 2 * self._failures >= self._calls
        if self.state is BreakerState.HALF_OPEN or self._in_row >= self._threshold or half:
            self.trip(now)

    def trip(self, now: float) -> None:
        """Open, or stay open for longer: nothing can be asked at all."""
        if self.state is BreakerState.CLOSED:
            self.opened += 1
        self.state = BreakerState.OPEN
        self._in_row = self._calls = self._failures = 0
        self.retry_at = now + self._pause * self._random.uniform(0.5, 1.0)
        self._pause = min(self._longest, 2 * self._pause)

    def reached(self) -> None:
        """Let one probe through: the server can be talked to again."""
        if self.state is BreakerState.OPEN:
            self.state = BreakerState.HALF_OPEN
        self._probing = False

    def _count(self, now: float, calls: int, failures: int) -> None:
        if int(now) != self._second:
            self._second, self._calls, self._failures = int(now), 0, 0
        self._calls += calls
        self._failures += failures
