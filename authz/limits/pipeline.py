"""The limiter thread: sends what waits as one batch, reads the replies, keeps everybody's time.

One batch is on its way at a time; what becomes ready meanwhile leaves as the next, so batches grow with load and no
timer delays anybody. Callers hand over and go; they are told by callback, from this thread. It sleeps (`waking`) until
the earliest deadline, so nobody waits past theirs however silent Redis is.

A batch that is not answered within `budget` ends its connection, because a late reply could only be misread. What it
asked may have been charged; it is never sent again, so an outage can refuse too much and never admit too much. The
exception is NOSCRIPT, which says that nothing ran: the script is loaded and the calls are sent once more.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections import deque
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from authz.errors import Unavailable
from authz.limits.asks import Answer
from authz.limits.batch import MOVED, Batch, Waiting, merged
from authz.limits.breaker import Breaker, BreakerState
from authz.limits.connection import DROPS, Link
from authz.limits.dial import Dialer
from authz.limits.outage import Outage
from authz.limits.waking import NEVER, Bell
from authz.threads import give_way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from authz.limits.counters import LimiterCounters

LOG = logging.getLogger(__name__)
_PAUSE = 0.02
CLOCK = "CLOCK"
"""Our clock is too far from the server's to count by the calendar, says the script: no reason to stop asking it."""

LARGEST_BATCH = 256
"""Callers in one batch: more would not come back within the budget."""


class Pipeline:
    """Asks one Redis. `moved` is given the callers whose counters have moved, and where to: true when it took them."""

    def __init__(
        self,
        *,
        connect: Callable[[], Link],
        script: str,
        budget: float,
        max_waiting: int,
        counters: LimiterCounters,
        moved: Callable[[str, list[Waiting]], bool] = lambda _where, _callers: False,
    ) -> None:
        self._script = script
        self._sha = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        self._moved = moved
        self._budget = budget
        self._breaker = Breaker()
        self._outage = Outage()
        self._counters = counters
        self._max_waiting = max_waiting
        self._incoming: deque[Waiting] = deque()
        self._waiting: list[Waiting] = []
        self._flight: Batch | None = None
        self._link: Link | None = None
        self._bell = Bell()
        self._dialer = Dialer(connect, script, self._bell.ring)
        self._running = False
        self._worker = Thread(target=self._run, name="authz-limiter", daemon=True)
        self.last_error: str | None = None

    @property
    def connected(self) -> bool:
        """Whether there is a link."""
        return self._link is not None

    @property
    def breaker(self) -> BreakerState:
        """Whether calls go through."""
        return self._breaker.state

    def start(self) -> None:
        """Start the thread, which begins to connect; nothing waits for it."""
        self._running = True
        self._worker.start()

    def close(self) -> None:
        """Stop; whoever still waits is told `None`."""
        if self._running:
            self._running = False
            self._bell.ring()
            self._worker.join()
        self._bell.close()

    def submit(self, caller: Waiting) -> bool:
        """Hand over a caller from any thread; false, and no callback, when it would only wait in vain."""
        if not self._running:
            return False
        if len(self._incoming) + len(self._waiting) >= self._max_waiting:
            self._counters.rejected += 1
            return False
        if self._breaker.state is not BreakerState.CLOSED and not self._breaker.allows():
            return False
        self._incoming.append(caller)
        self._bell.ring_before(caller.deadline)
        if not self._running:
            self._abandon()
        return True

    def _run(self) -> None:
        give_way()
        while self._running:
            try:
                self._turn()
            except Exception:
                LOG.exception("the limiter thread starts over")
                self._lose("internal", "internal error", time.monotonic())
                time.sleep(_PAUSE)
        self._dialer.close()
        if self._link is not None:
            self._link.close()
        _tell(self._flight.callers if self._flight else ())
        _tell(self._waiting)
        self._abandon()

    def _abandon(self) -> None:
        with suppress(IndexError):
            while True:
                self._incoming.popleft().tell(None)

    def _turn(self) -> None:
        now = time.monotonic()
        self._connect(now)
        self._send(now)
        self._outage.seen(self._breaker.state, self.last_error, now)
        heard = self._sleep(now)
        now = time.monotonic()
        landed = self._receive(now) if heard else None
        if landed is not None:
            self._send(now)  # the next batch is on its way while the last one's callers are told
            try:
                self._settle(landed, now)
            except BaseException:
                _tell(landed.callers)  # whoever was told already is not told again
                raise
        elif self._flight is not None:
            self._time_out(self._flight, now)  # only now: a reply that is there is never called late

    def _connect(self, now: float) -> None:
        breaker = self._breaker
        result = self._dialer.result()
        if isinstance(result, Unavailable):
            self._failed("connect", str(result))
            breaker.trip(now)
        elif result is not None:
            self._link = result
            self._bell.hear(result.fileno())
            self._counters.connects += 1
            breaker.reached()
        if breaker.state is BreakerState.OPEN and now < breaker.retry_at:
            return
        if self._link is None:
            self._dialer.dial()
        elif breaker.state is BreakerState.OPEN:
            breaker.reached()

    def _send(self, now: float) -> None:
        while self._incoming:
            self._waiting.append(self._incoming.popleft())
        self._give_up(now)
        if self._link is None or self._flight is not None or not self._waiting:
            return
        callers, self._waiting = self._waiting[:LARGEST_BATCH], self._waiting[LARGEST_BATCH:]
        self._launch(Batch(merged(callers), sent_at=now), now)
        self._counters.checks += len(callers)

    def _give_up(self, now: float) -> None:
        hopeless = self._breaker.state is BreakerState.OPEN
        late = [caller for caller in self._waiting if hopeless or caller.deadline <= now]
        if late:
            self._waiting = [] if hopeless else [caller for caller in self._waiting if caller.deadline > now]
            self._counters.failed("waiting", len(late))
            if self._link is None and not hopeless:
                self._breaker.failed(now, len(late))
            elif not hopeless:
                self._breaker.reached()  # the probe may be among them: it has not asked, so another one is to
            _tell(late)

    def _launch(self, batch: Batch, now: float) -> None:
        if self._link is None:
            return
        self._flight = batch
        try:
            self._link.send(batch.packed(self._sha, self._script))
        except Unavailable as error:
            self._lose("connection", str(error), now)
            return
        self._counters.calls += len(batch.calls)
        self._counters.batch_size.observe(sum(len(call.callers) for call in batch.calls))

    def _sleep(self, now: float) -> bool:
        until = self._next_deadline()
        self._bell.wakes_at = NEVER if self._link is not None and self._flight is None else until
        if self._link is not None:
            self._bell.hear(self._link.fileno(), writable=self._link.unsent)
        return self._bell.sleep(0.0 if self._incoming else max(0.0, until - now))  # looked at after `wakes_at` is set

    def _next_deadline(self) -> float:
        until = min((caller.deadline for caller in self._waiting), default=NEVER)
        if self._flight is not None:
            until = min(until, self._flight.sent_at + self._budget, self._flight.next_deadline)
        if self._breaker.state is BreakerState.OPEN and not self._dialer.busy:
            until = min(until, self._breaker.retry_at)
        return until

    def _receive(self, now: float) -> Batch | None:
        if self._link is None:
            return None
        try:
            self._link.flush()
            replies = self._link.receive()
        except Unavailable as error:
            self._lose("connection", str(error), now)
            return None
        return self._landed(replies, now)

    def _landed(self, replies: list[object], now: float) -> Batch | None:
        batch = self._flight
        if batch is None or not batch.take(replies):
            return None
        self._flight = None
        self._counters.round_trips += 1
        self._counters.round_trip_seconds.observe(now - batch.sent_at)
        again = batch.unloaded()
        if again:
            self._launch(Batch(again, sent_at=batch.sent_at, reloaded=True), now)
        return batch

    def _settle(self, batch: Batch, now: float) -> None:
        answered = 0
        faults: dict[str, int] = {}
        for call, outcome in batch.outcomes():
            if isinstance(outcome, Answer):
                answered += len(call.callers)
                for rank, caller in enumerate(call.callers):
                    caller.tell(outcome, rank, batch.sent_at)
            elif outcome.startswith(MOVED) and self._moved(outcome, call.callers):
                answered += len(call.callers)
            else:
                code = outcome.partition(" ")[0]
                faults[code] = faults.get(code, 0) + len(call.callers)
                answered += len(call.callers) if code == CLOCK else 0
                _tell(call.callers)
        if answered:
            self._breaker.succeeded(now, answered)
        for code, count in faults.items():
            self._failed(code, code, count)
            if code != CLOCK:
                self._breaker.failed(now, count)
        if not DROPS.isdisjoint(faults):
            self._lose("dropped", self.last_error or "", now)

    def _time_out(self, batch: Batch, now: float) -> None:
        _tell(batch.late(now))
        if batch.sent_at + self._budget <= now:
            self._lose("timeout", "no answer in time", now)

    def _lose(self, code: str, text: str, now: float) -> None:
        batch, self._flight = self._flight, None
        callers = list(batch.callers) if batch else []
        if self._link is not None:
            self._bell.ignore(self._link.fileno())
            self._link.close()
            self._link = None
        self._failed(code, text, len(callers))
        self._breaker.failed(now, max(1, len(callers)))
        _tell(callers)

    def _failed(self, code: str, text: str, count: int = 1) -> None:
        self.last_error = text
        self._counters.failed(code, count)


def _tell(callers: Iterable[Waiting]) -> None:
    for caller in callers:
        caller.tell(None)
