"""The most frequent denials, counted in bounded memory whoever comes.

Space-Saving (Metwally, Agrawal, El Abbadi: "Efficient Computation of Frequent and Top-k Elements in Data Streams",
2005): a fixed number of counters; a newcomer takes over the smallest, and its count with it. So no count is too low,
each says by how much it may be too high, and whoever causes more than one in as many as are kept is in the list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authz.console.denials import Denial


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
