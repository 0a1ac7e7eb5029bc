"""Who asks most, per limit: a sketch of bounded size (Space-Saving; Metwally, Agrawal, El Abbadi 2005).

Of each limit `SIZE` callers are kept. One that is not among them takes the place of the least, and begins from its
count: so a count is never too low, too high by at most `error`, and whoever has more than 1 in `SIZE` of what was seen
is there. Every `EVERY`th question is seen, and counts are of those. A caller is shown as the digest that its counter's
key in Redis ends with (see keys.py), never as what it is.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz.limits.plan import Plan

SIZE = 64
EVERY = 31
"""A prime, lest it fall into step with callers that take turns."""

MAX_LIMITS = 256
SHOWN = 10


class Sketch:
    """The most frequent of what was seen: text to count and error."""

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._counts: dict[str, tuple[int, int]] = {}

    def saw(self, text: str) -> None:
        """Count one."""
        known = self._counts.get(text)
        if known is not None:
            self._counts[text] = (known[0] + 1, known[1])
        elif len(self._counts) < self._size:
            self._counts[text] = (1, 0)
        else:
            least = min(self._counts, key=lambda one: self._counts[one][0])
            taken = self._counts.pop(least)[0]
            self._counts[text] = (taken + 1, taken)

    def top(self, number: int) -> list[tuple[str, int, int]]:
        """Return the most frequent with count and error, most first."""
        ordered = sorted(self._counts.items(), key=lambda one: -one[1][0])
        return [(text, count, error) for text, (count, error) in ordered[:number]]


class Busiest:
    """A sketch for each limit; the first `MAX_LIMITS` limits that are met have one. From any thread."""

    def __init__(self, every: int = EVERY) -> None:
        self._every = every
        self._turn = 0
        self._lock = Lock()
        self._sketches: dict[str, Sketch] = {}

    def saw(self, plan: Plan) -> None:
        """Take note of what is asked, if it is its turn."""
        self._turn += 1  # two threads at once may count one turn: it is a sample
        if self._turn < self._every:
            return
        self._turn = 0
        with self._lock:
            for ask in plan.asks:
                sketch = self._sketches.get(ask.charge.limit.name) or self._opened(ask.charge.limit.name)
                if sketch is not None:
                    sketch.saw(ask.key.rpartition(":")[2])

    def _opened(self, limit: str) -> Sketch | None:
        if len(self._sketches) >= MAX_LIMITS:
            return None
        return self._sketches.setdefault(limit, Sketch())

    def status(self) -> Mapping[str, object]:
        """Return what `/status` shows: by limit, the busiest callers' digests."""
        with self._lock:
            tops = {limit: sketch.top(SHOWN) for limit, sketch in self._sketches.items()}
        return {
            "seen_one_in": self._every,
            "limits": {
                limit: [{"key": key, "count": count, "error": error} for key, count, error in top]
                for limit, top in tops.items()
            },
        }
