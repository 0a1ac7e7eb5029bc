"""Who may try while others try: limits on denials, kept also by requests that come at once.

A limit that counts denials is looked at before the rules run and charged when they have spoken. Requests that come in
between would all find the room that one of them is about to take: of a thousand guesses at once none would be one too
many. So of one counter only as many checks are under way as there is room for, and the others wait for one of them to
end and look again. Nobody waits past their deadline, nor do more than `MOST` wait for one counter.

Among several processes each keeps to this by itself.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from authz.model import LimitOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from authz.model import LimitUsage, Usage

MOST = 256
"""Checks that wait for one counter; one more is denied as overload."""

MARGIN = 0.03
"""Seconds before its deadline at which a check waits no longer: the longest that those under way may take to end."""

Counter = tuple[str, bool, tuple[str, ...]]
"""What is counted: the limit by name and kind, and the key."""


class CrowdedError(Exception):
    """Too many wait already."""


class Waiting(NamedTuple):
    """A check that waits: what has it look again, holding these counters, and until when it may wait."""

    again: Callable[[tuple[Counter, ...]], None]
    deadline: float


class Guesses:
    """The checks under way, by counter; from any thread. `monotonic` is the clock of deadlines."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._under_way: dict[Counter, int] = {}
        self._waiting: dict[Counter, deque[Waiting]] = {}
        self._here = threading.local()

    def enter(self, usage: Usage, waiting: Waiting, held: tuple[Counter, ...] = ()) -> tuple[Counter, ...] | None:
        """Return the counters that are held until `leave`, or nothing where the check has to wait.

        Raises `CrowdedError` where too many do. What it held already is given back in either case.
        """
        guarded = [each for each in usage.limits if each.outcome is LimitOutcome.OK]
        counters = tuple(map(_counter, guarded))
        with self._lock:
            for counter in held:
                self._drop(counter)
            full = next((counter for each, counter in zip(guarded, counters, strict=True) if self._is_full(each)), None)
            if full is None:
                for counter in counters:
                    self._under_way[counter] = self._under_way.get(counter, 0) + 1
                freed = [counter for counter in held if counter not in counters]
            else:
                crowded = not self._queue(full, waiting)
                freed = [counter for counter in held if counter not in self._under_way]
            woken = self._handed_over(freed)
        self._run(woken)
        if full is None:
            return counters
        if crowded:
            raise CrowdedError
        return None

    def leave(self, counters: Sequence[Counter]) -> None:
        """Give back what was held; those look again that wait for it."""
        with self._lock:
            for counter in counters:
                self._drop(counter)
            woken = self._handed_over(counters)
        self._run(woken)

    def _is_full(self, usage: LimitUsage) -> bool:
        """Say whether those under way may take all the room there is; who is alone may always try."""
        others = self._under_way.get(_counter(usage), 0)
        return others > 0 and (others + 1) * usage.charge.cost > usage.remaining

    def _drop(self, counter: Counter) -> None:
        left = self._under_way[counter] - 1
        if left:
            self._under_way[counter] = left
        else:
            del self._under_way[counter]

    def _queue(self, counter: Counter, waiting: Waiting) -> bool:
        queue = self._waiting.setdefault(counter, deque())
        if len(queue) < MOST:
            queue.append(waiting)
            return True
        return False

    def _handed_over(self, counters: Iterable[Counter]) -> list[tuple[Waiting, tuple[Counter, ...]]]:
        """Take those from the queues whose turn it is, each with what it holds now, and those whose time is up."""
        woken: list[tuple[Waiting, tuple[Counter, ...]]] = []
        latest = self._monotonic() + MARGIN
        for counter in counters:
            queue = self._waiting.get(counter)
            if queue is None:
                continue
            late = [each for each in queue if each.deadline <= latest]
            woken += [(each, ()) for each in late]
            in_time = deque(each for each in queue if each.deadline > latest) if late else queue
            if in_time:
                self._under_way[counter] = self._under_way.get(counter, 0) + 1
                woken.append((in_time.popleft(), (counter,)))
            if in_time:
                self._waiting[counter] = in_time
            else:
                del self._waiting[counter]
        return woken

    def _run(self, woken: Sequence[tuple[Waiting, tuple[Counter, ...]]]) -> None:
        """Have checks look again, one after the other: one that ends at once wakes the next from within."""
        if not woken:
            return
        ready: deque[tuple[Waiting, tuple[Counter, ...]]] | None = getattr(self._here, "ready", None)
        if ready is not None:
            ready.extend(woken)
            return
        ready = self._here.ready = deque(woken)
        try:
            while ready:
                waiting, held = ready.popleft()
                waiting.again(held)
        finally:
            self._here.ready = None


def _counter(usage: LimitUsage) -> Counter:
    limit = usage.charge.limit
    return limit.name, limit.guardrail, usage.charge.key
