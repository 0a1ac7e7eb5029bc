"""Who is denied most, and by what: counted in bounded memory whoever comes.

Space-Saving (Metwally, Agrawal, El Abbadi: "Efficient Computation of Frequent and Top-k Elements in Data Streams",
2005): a fixed number of counters; a newcomer takes over the smallest, and its count with it. So no count is too low,
each says by how much it may be too high, and whoever causes more than one in `KEPT` of all denials is in the list.
"""

from __future__ import annotations

import threading
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from authz.model import Effect

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz.model import Outcome, Request

KEPT = 256
"""Callers that are counted at once."""

LONGEST = 128
"""Characters of a caller's name that are kept."""


class Denial(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who was denied and by what; `rule` is `None` where no rule did. `by` says what names the caller."""

    who: str
    by: str
    reason: str
    policy: str | None
    rule: str | None


class Frequent(msgspec.Struct, frozen=True, kw_only=True):
    """One of the most frequent: at most `count` times, and at least `count - above`."""

    denial: Denial
    count: int
    above: int


class Counters:
    """Space-Saving counters of whatever is counted; each step takes the same time, however many there are.

    Keys stand in buckets by count, so the smallest is at hand.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._counts: dict[Denial, tuple[int, int]] = {}
        self._buckets: dict[int, dict[Denial, None]] = {}
        self._least = 0

    def add(self, key: Denial) -> None:
        """Count one more of a key, which may take the place of the rarest."""
        known = self._counts.get(key)
        if known is not None:
            count, above = known
            self._leave(count, key)
        elif len(self._counts) < self._kept:
            count = above = self._least = 0
        else:
            count = above = self._least
            rarest = next(iter(self._buckets[count]))
            self._leave(count, rarest)
            del self._counts[rarest]
        self._counts[key] = (count + 1, above)
        self._buckets.setdefault(count + 1, {})[key] = None
        if self._least not in self._buckets:
            self._least = count + 1

    def most(self, number: int) -> list[tuple[Denial, int, int]]:
        """Return the most frequent keys, each with its count and by how much that may be too high."""
        ordered = sorted(self._counts.items(), key=lambda entry: entry[1][0], reverse=True)
        return [(key, count, above) for key, (count, above) in ordered[:number]]

    def _leave(self, count: int, key: Denial) -> None:
        bucket = self._buckets[count]
        del bucket[key]
        if not bucket:
            del self._buckets[count]


class Denied:
    """An observer that counts denials by caller and rule. `client_ip` finds the caller behind trusted proxies."""

    def __init__(self, client_ip: Callable[[Request], str] = attrgetter("source.ip"), kept: int = KEPT) -> None:
        self._client_ip = client_ip
        self._lock = threading.Lock()
        self._counters = Counters(kept)
        self._total = 0

    def __call__(self, outcome: Outcome) -> None:
        """Count a denial; anything else costs a comparison."""
        if outcome.decision.effect is not Effect.DENY:
            return
        denial = self._denial(outcome)
        with self._lock:
            self._total += 1
            self._counters.add(denial)

    def most(self, number: int = 50) -> tuple[int, list[Frequent]]:
        """Return how many were denied in all, and who most often."""
        with self._lock:
            total, found = self._total, self._counters.most(number)
        return total, [Frequent(denial=denial, count=count, above=above) for denial, count, above in found]

    def _denial(self, outcome: Outcome) -> Denial:
        decision, identity, request = outcome.decision, outcome.identity, outcome.request
        if identity.authenticated:
            who, by = f"{identity.subject}", identity.provider
        else:
            who, by = (self._client_ip(request) if request else ""), "address"
        return Denial(who=who[:LONGEST], by=by, reason=decision.reason, policy=decision.policy, rule=decision.rule)
