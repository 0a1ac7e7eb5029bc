"""Values some of whose entries end: one value for each time between two ends.

A request is shown the value of its own time, so an entry ends without a reload, at its moment and for everybody. What
was decided between two ends holds until the next one, and no longer: `span` says between which of them a time is.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from authz.cel.indexes import Indexed

KEPT = 3
"""Values that are kept made: requests of before and after an end arrive side by side, and the next is made ahead."""


class Expiring:
    """A value that depends on the time. `make` returns what counts after a moment, from any thread."""

    __slots__ = ("_ends", "_made", "_make")

    def __init__(self, ends: Iterable[float], make: Callable[[float], Indexed]) -> None:
        self._ends = sorted(set(ends))
        self._make = make
        self._made: dict[int, Indexed] = {}

    def span(self, time: float) -> int:
        """Return how many ends are over at a time; what ends at that very time is over."""
        return bisect_right(self._ends, time)

    def at(self, time: float) -> Indexed:
        """Return the value at a time."""
        span = self.span(time)
        made = self._made.get(span)
        if made is None:
            made = self._make(self._ends[span - 1] if span else -math.inf)
            others = [(other, value) for other, value in self._made.items() if other != span]
            self._made = dict([*others[1 - KEPT :], (span, made)])
        return made

    def prepare(self, time: float) -> None:
        """Make the values of a time and of what follows, so that no request has to; from any thread."""
        self.at(time)
        span = self.span(time)
        if span < len(self._ends):
            self.at(self._ends[span])
