"""How a limit counts: the arithmetic of the three algorithms, pure, the twin of `script.lua`.

Times are whole microseconds, amounts whole requests, all held in doubles because Lua has no other number: below
2**53 every step is exact, beyond it both twins round alike. A state is three numbers; absent is the same as whole.

* fixed-window: at most `requests` in each window of the clock, so just under twice that across a boundary. With `align`
  its windows are the calendar's (see calendar.py). The script is told where they begin, the last, this and the next
  ones by the caller's clock, and takes the one that the server's clock is in: so all agree as long as their clocks are
  less than a window apart, and beyond that the script answers CLOCK and nobody is counted into a wrong one.
* sliding-window: two windows, the older one counted by the share of it still in view. At most `requests` in one
  window of the clock; an adversary reaches just under twice that in a rolling period, spread over its second half.
* token-bucket (GCRA written as a meter that fills by cost and drains by rate): at most `burst + rate * t` in any
  interval of length t. The one to take where a contract says "never more than".

A clock that steps back by less than a window (a failover) keeps the newer state, so a spent window does not open
again; by more, the state means nothing and counting starts over, so nobody stays blocked by a clock that was wrong.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Protocol

import msgspec

from authz.limits.calendar import Calendar, calendar
from authz.model import Algorithm, Limit, Mode, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

State = tuple[float, float, float]
"""Window: its number (of a calendar's: when it began), what it holds, what the one before held. Bucket: when it was
measured, its level, 0."""

MICROSECONDS = 1_000_000
LARGEST = 2**53
"""Amounts and periods beyond this are counted as this: larger whole numbers are no longer told apart."""


class Meter(Protocol):
    """One limit's way of counting, its numbers made once. A method takes a state and returns a new one."""

    @property
    def limit(self) -> Limit:
        """The limit that is counted."""

    @property
    def capacity(self) -> float:
        """The most that can be taken at once."""

    @property
    def shadow(self) -> bool:
        """Whether this limit only watches."""

    @property
    def leased(self) -> bool:
        """Whether blocks of this limit are spent by the processes."""

    @property
    def arguments(self) -> tuple[str, str, str, str]:
        """What the script is told of this limit: code (upper case: shadow), capacity, period or windows, rate."""

    def settle(self, state: State | None, now: float) -> State:
        """Bring a stored state to this moment."""

    def room(self, state: State, now: float) -> float:
        """Return how much fits now; below 0 where a limit was lowered."""

    def spend(self, state: State, amount: float) -> State:
        """Take an amount."""

    def reset(self, state: State, now: float) -> float:
        """Return the time until the limit is whole again, which is also how long its state must be kept."""

    def retry(self, state: State, now: float, cost: float) -> float:
        """Return the time until `cost` fits if nobody else comes; `cost` is at most the capacity."""

    def spendable(self, reset: float) -> float:
        """Return until when what was just charged may be spent: until its window ends, told by the `reset` after it."""


class _Numbers(msgspec.Struct, frozen=True, kw_only=True):
    limit: Limit
    capacity: float
    period: float
    rate: float
    shadow: bool
    leased: bool
    told: tuple[str, str, str, str]

    @property
    def arguments(self) -> tuple[str, str, str, str]:
        """What the script is told."""
        return self.told


class FixedWindow(_Numbers, frozen=True, kw_only=True):
    """Counts the requests of each window of the clock."""

    def window(self, now: float) -> tuple[float, float]:
        """Return the numbers of this window and of the next one."""
        return now // self.period, now // self.period + 1

    def ending(self, window: float) -> float:
        """Return when a window ends."""
        return (window + 1) * self.period

    def settle(self, state: State | None, now: float) -> State:
        """Start at nothing when the window is over."""
        this, following = self.window(now)
        if state is not None and this <= state[0] <= following:
            return state
        return (this, 0.0, 0.0)

    def room(self, state: State, now: float) -> float:  # noqa: ARG002 - the protocol's shape
        """Return what the window has left."""
        return self.capacity - state[1]

    def spend(self, state: State, amount: float) -> State:
        """Count into the window."""
        return (state[0], state[1] + amount, 0.0)

    def reset(self, state: State, now: float) -> float:
        """Return the time until the window ends."""
        return self.ending(state[0]) - now if state[1] > 0 else 0.0

    def retry(self, state: State, now: float, cost: float) -> float:
        """Wait for the next window."""
        return 0.0 if cost <= self.room(state, now) else self.ending(state[0]) - now

    def spendable(self, reset: float) -> float:
        """Spend it in its window, after which the limit is whole."""
        return reset


class AlignedWindow(FixedWindow, frozen=True, kw_only=True):
    """Counts the requests of each window of a calendar, which is known by when it began."""

    calendar: Calendar
    clock: Callable[[], float]

    @property
    def arguments(self) -> tuple[str, str, str, str]:
        """What the script is told: in place of a period the windows around what we think is now."""
        code, capacity, _, rate = self.told
        return code, capacity, self.calendar.around(self.clock()).text, rate

    def window(self, now: float) -> tuple[float, float]:
        """Return when this window began and when the next one does."""
        starts = self.calendar.around(now / MICROSECONDS).starts
        return float(starts[1] * MICROSECONDS), float(starts[2] * MICROSECONDS)

    def ending(self, window: float) -> float:
        """Return when the window that began then ends."""
        return self.window(window)[1]


class SlidingWindow(_Numbers, frozen=True, kw_only=True):
    """Counts this window in full and the one before by the share of it still in view."""

    def settle(self, state: State | None, now: float) -> State:
        """Move the windows on."""
        window = now // self.period
        if state is not None and window <= state[0] <= window + 1:
            return state
        return (window, 0.0, state[1] if state is not None and state[0] == window - 1 else 0.0)

    def room(self, state: State, now: float) -> float:
        """Return what is left, the older window's share rounded up."""
        elapsed = max(0.0, now - state[0] * self.period)
        return self.capacity - state[1] - math.ceil(state[2] * (self.period - elapsed) / self.period)

    def spend(self, state: State, amount: float) -> State:
        """Count into the newer window."""
        return (state[0], state[1] + amount, state[2])

    def reset(self, state: State, now: float) -> float:
        """Return the time until neither window holds anything."""
        windows = 2 if state[1] > 0 else 1 if state[2] > 0 else 0
        return (state[0] + windows) * self.period - now if windows else 0.0

    def retry(self, state: State, now: float, cost: float) -> float:
        """Wait until enough of the older window has left the view, or until the newer one has become the older."""
        if cost <= self.room(state, now):
            return 0.0
        window, current, previous = state
        spare = self.capacity - cost - current
        if spare < 0:
            window, previous, spare = window + 1, current, self.capacity - cost
        return (window + 1) * self.period - min(self.period, math.floor(spare * self.period / previous)) - now

    def spendable(self, reset: float) -> float:
        """Spend it in its window, one before the limit is whole."""
        return reset - self.period


class TokenBucket(_Numbers, frozen=True, kw_only=True):
    """Fills by `period` for each request and drains by `rate` each microsecond: whole numbers, without drift."""

    def settle(self, state: State | None, now: float) -> State:
        """Let what has drained since the last measure go."""
        if state is None or state[0] > now + self.capacity * self.period / self.rate:
            return (now, 0.0, 0.0)
        if state[0] >= now:
            return state
        return (now, max(0.0, state[1] - (now - state[0]) * self.rate), 0.0)

    def room(self, state: State, now: float) -> float:  # noqa: ARG002 - the protocol's shape
        """Return the whole requests that fit above the level."""
        return math.floor((self.capacity * self.period - state[1]) / self.period)

    def spend(self, state: State, amount: float) -> State:
        """Raise the level."""
        return (state[0], state[1] + amount * self.period, 0.0)

    def reset(self, state: State, now: float) -> float:
        """Return the time until the bucket has drained."""
        return state[0] - now + math.ceil(state[1] / self.rate) if state[1] > 0 else 0.0

    def retry(self, state: State, now: float, cost: float) -> float:
        """Wait until the level has fallen far enough."""
        excess = state[1] - (self.capacity - cost) * self.period
        return state[0] - now + math.ceil(excess / self.rate) if excess > 0 else 0.0

    def spendable(self, reset: float) -> float:  # noqa: ARG002 - the protocol's shape
        """Spend it at any time: a bucket has no windows."""
        return math.inf


_METERS: Mapping[Algorithm, tuple[str, type[FixedWindow | SlidingWindow | TokenBucket]]] = {
    Algorithm.FIXED_WINDOW: ("f", FixedWindow),
    Algorithm.SLIDING_WINDOW: ("s", SlidingWindow),
    Algorithm.TOKEN_BUCKET: ("t", TokenBucket),
}


def meter(limit: Limit, clock: Callable[[], float] = time.time) -> Meter:
    """Make a limit's way of counting; it may be asked where `requests` and the capacity are at least 1.

    `clock` says in seconds of the epoch which windows of a calendar a script is told of.
    """
    code, kind = _METERS[limit.algorithm]
    shadow = limit.mode is not Mode.ENFORCE
    period = min(max(1, round(limit.period * MICROSECONDS)), LARGEST)
    rate = min(limit.requests, LARGEST)
    bursts = kind is TokenBucket and limit.burst is not None
    capacity = min(limit.burst or 0, LARGEST) if bursts else rate
    numbers = _Numbers(
        limit=limit,
        capacity=float(capacity),
        period=float(period),
        rate=float(rate),
        shadow=shadow,
        leased=limit.scope is Scope.LEASED,
        told=(code.upper() if shadow else code, str(capacity), str(period), str(rate)),
    )
    if limit.align is not None:
        cut = calendar(limit.align, limit.time_zone)
        return AlignedWindow(**msgspec.structs.asdict(numbers), calendar=cut, clock=clock)
    return kind(**msgspec.structs.asdict(numbers))


def tally(
    counters: Sequence[tuple[Meter, int, State | None]], count: int, now: float
) -> tuple[int, list[int], list[State]]:
    """Charge `count` equal requests to counters (meter, cost, state), as many as all enforced ones admit; 0 looks.

    Returns what the script does: how many are admitted, and for each counter how many fitted before, and after it
    what remains, the time until whole and the time until one more fits; beside them the states to keep. A shadow
    counter takes what it would have admitted, so it stands as if it were enforced, and holds nobody back.
    """
    admitted = count
    found: list[tuple[State, int]] = []
    for counting, cost, state in counters:
        settled = counting.settle(state, now)
        available = max(0, int(counting.room(settled, now) // cost))
        found.append((settled, available))
        if available < admitted and not counting.shadow:
            admitted = available
    numbers: list[int] = []
    states: list[State] = []
    for (counting, cost, _), (settled, available) in zip(counters, found, strict=True):
        state = counting.spend(settled, float(min(admitted, available) * cost))
        retry = int(counting.retry(state, now, cost)) if available < count or available == 0 else 0
        numbers += (available, max(0, int(counting.room(state, now))), int(counting.reset(state, now)), retry)
        states.append(state)
    return admitted, numbers, states
