"""The latest decisions, kept only while somebody watches.

With nobody watching an outcome costs one look at a number. With a watcher what its record says goes into a ring: not
the request, which holds a body, and a thousand of those are more than all the rest. Whoever reads the ring, on the
thread of the admin port, writes the records that are to be shown. The deciding threads wake nobody.
"""

from __future__ import annotations

from collections import deque
from itertools import count
from typing import TYPE_CHECKING

from authz.audit import LineWriter

if TYPE_CHECKING:
    from authz.audit import Line
    from authz.model import Outcome

KEPT = 1024
"""Lines in the ring: at 4000 a second, as many as come between two looks of a watcher."""

MOST_WATCHERS = 8


class Tail:
    """An observer that keeps what watchers have not seen; `line` says what may be shown: what may be recorded."""

    def __init__(self, line: LineWriter | None = None) -> None:
        self.line = line or LineWriter()
        self._ring: deque[tuple[int, Line]] = deque(maxlen=KEPT)
        self._numbers = count(1)
        self.watchers = 0
        self.ended = False

    def end(self) -> None:
        """Tell watchers to go, for the port is about to close."""
        self.ended = True

    def __call__(self, outcome: Outcome) -> None:
        """Keep an outcome while somebody watches."""
        if self.watchers:
            self._ring.append((next(self._numbers), self.line.line(outcome)))

    def begin(self) -> int:
        """Keep outcomes for one more watcher; return the number after which come those it has not seen."""
        self.watchers += 1
        return next(self._numbers)

    def leave(self) -> None:
        """Keep none for one of the watchers any more."""
        self.watchers -= 1
        if not self.watchers:
            self._ring.clear()

    def after(self, number: int) -> list[tuple[int, Line]]:
        """Return what came after one that was seen and is still here."""
        return [entry for entry in self._ring.copy() if entry[0] > number]
