"""Who is denied most, and by what: an observer of denials alone."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from authz.console.denials import Denial, Frequent
from authz.console.frequent import Counters
from authz.model import Effect

if TYPE_CHECKING:
    from authz.model import Outcome

KEPT = 256
"""Callers that are counted at once."""

SHOWN = 50
"""Of these, the most frequent that are told."""

LONGEST = 128
"""Characters of a caller's name that are kept."""

DENY: Final = Effect.DENY
"""Looked up once: most outcomes are no denials, and are to cost a comparison."""


class Denied:
    """An observer that counts denials by caller and rule."""

    def __init__(self, kept: int = KEPT) -> None:
        self._lock = threading.Lock()
        self._counters = Counters(kept)
        self._total = 0

    def __call__(self, outcome: Outcome) -> None:
        """Count a denial; anything else costs a comparison."""
        if outcome.decision.effect is not DENY:
            return
        denial = self._denial(outcome)
        with self._lock:
            self._total += 1
            self._counters.add(denial)

    def most(self, number: int = SHOWN) -> tuple[int, list[Frequent]]:
        """Return how many were denied in all, and who most often."""
        with self._lock:
            total, found = self._total, self._counters.most(number)
        return total, [Frequent(denial=denial, count=count, above=above) for denial, count, above in found]

    def _denial(self, outcome: Outcome) -> Denial:
        decision, identity = outcome.decision, outcome.identity
        if identity.authenticated:
            who, by = f"{identity.subject}", identity.provider
        else:
            who, by = outcome.client_ip, "address"
        return Denial(who=who[:LONGEST], by=by, reason=decision.reason, policy=decision.policy, rule=decision.rule)
