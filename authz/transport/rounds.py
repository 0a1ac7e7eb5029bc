"""Which thread sends which answer, and when: the polling thread decides, the writer sends.

Why two threads: with one, every answer is a write of its own. The answers of a round (until nothing more has arrived,
ROUND at most) go to the writer together; its batches pile up behind gRPC's current write and leave in few. A round
of AT_ONCE is sent by the polling thread: there is nothing to share, and waking the writer would cost more.

Who sends: a call answered within `check` belongs to its round. Any other waits, and whoever answers it leaves it to the
writer; which of the two it is, is settled under a lock that calls share. A round with calls that wait lets others have
the processor: what they wait for is asked while the next round is decided. One that still waits after PATIENCE is
handed over to be watched for a cancel, so that none is allowed whose caller has gone: as long as a round may take, a
caller that leaves goes unseen either way.

Once in SWEEP seconds the polling thread lets every call that gRPC has not finished grow older: one whose message does
not come, or whose answer is not taken, is given up at an age. A thread that is kept in a check ages nobody.

Counters have one writing thread each; a reader takes the difference. Knows gRPC only as something to poll.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from math import inf
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from authz.threads import give_turn
from authz.transport.room import Room

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROUND = 32
"""Calls that may wait for each other, where more keep coming: a millisecond of decisions."""

AT_ONCE = 2
"""Answers that are not worth waking the writer for."""

PATIENCE = 0.001
"""Seconds that a call waits unwatched. Most are answered sooner, and a watch costs gRPC a batch and an event."""

BACKLOG = 256
"""Rounds that may wait for the writer; above, the polling thread takes nothing new until the writer has caught up."""

PAUSE = 0.0005
"""Seconds the polling thread then leaves to the writer at a time."""

DOUBT = 0.02
"""Seconds in which a call without a message is known to be reset, if it was."""

SWEEP = 1.0
"""Seconds from one look at all calls to the next, at least."""

_log = logging.getLogger(__name__)


class RoundCall(Protocol):
    """A call as its round sees it."""

    def waits(self) -> bool:
        """Say whether it is not answered yet; from then on, whoever answers it leaves it to the writer."""

    def watch(self) -> None:
        """Learn of a cancel from now on, unless it is answered."""

    def send(self) -> None:
        """Send the answer."""

    def settle_doubt(self) -> None:
        """Forget a call without a message if it was reset, else decide it."""

    def grow_older(self) -> None:
        """Give up what has not come in as many sweeps as it may take."""


class Writer:
    """Sends answers and watches calls, on its own thread. `end` ends it once everything before is done."""

    def __init__(self) -> None:
        self._rounds: SimpleQueue[tuple[Sequence[RoundCall], bool] | None] = SimpleQueue()
        self._left: deque[RoundCall] = deque()
        self._woken = False
        self.backlog = self._rounds.qsize
        self.sent = 0

    def send(self, calls: Sequence[RoundCall]) -> None:
        """Hand over answered calls."""
        self._rounds.put((calls, True))

    def leave(self, call: RoundCall) -> None:
        """Hand over one answered call, from any thread; many that come at once wake the writer once."""
        self._left.append(call)
        if not self._woken:
            self._woken = True
            self._rounds.put(((), True))

    def watch(self, calls: Sequence[RoundCall]) -> None:
        """Hand over calls that wait."""
        self._rounds.put((calls, False))

    def end(self) -> None:
        """End the thread once everything before is done."""
        self._rounds.put(None)

    def run(self) -> None:
        """Send and watch until the end."""
        while (handed := self._rounds.get()) is not None:
            self._woken = False  # before looking: who leaves a call from here on wakes again
            calls, answered = handed
            for call in calls:
                if answered:
                    self._send(call)
                else:
                    _do(call.watch)
            while self._left:
                self._send(self._left.popleft())

    def _send(self, call: RoundCall) -> None:
        self.sent += 1
        _do(call.send)


class Rounds:
    """The polling thread: takes what has arrived, decides it, and sends the answers on in rounds."""

    def __init__(self, poll: Callable[..., Any], writer: Writer, max_in_flight: int) -> None:
        self._poll = poll
        self._answered: list[RoundCall] = []
        self._waiting: list[RoundCall] = []
        self._unwatched: deque[tuple[float, list[RoundCall]]] = deque()  # by when they are to be watched
        self._doubted: deque[tuple[float, RoundCall]] = deque()  # by when their doubt is settled
        self.writer = writer
        self.room = Room(max_in_flight)
        self.live: set[RoundCall] = set()  # calls that gRPC has not finished
        self._next_sweep = 0.0
        self.stopped = False

    @property
    def in_flight(self) -> int:
        """How many calls are not answered yet, of those whose message is there or due."""
        return self.room.taken - self.writer.sent

    def take(self, call: RoundCall) -> bool:
        """Count one more call; whether there is room to decide it."""
        self.live.add(call)
        self.room.arrived()
        return self.in_flight <= self.room.size

    def hear(self, turn: int) -> bool:
        """Count a call whose message has come, and that arrived in `turn`; whether there is room to decide it."""
        return self.room.heard(turn) or self.in_flight <= self.room.size

    def finish(self, call: RoundCall) -> None:
        """Forget a call that gRPC has finished."""
        self.live.discard(call)

    def drop(self, call: RoundCall) -> None:
        """Forget a call that has been heard and needs no answer."""
        self.live.discard(call)
        self.room.taken -= 1

    def doubt(self, call: RoundCall) -> None:
        """Take a call without a message, which may have been reset: in a moment that is known."""
        self._doubted.append((time.monotonic() + DOUBT, call))

    def settle(self, call: RoundCall) -> None:
        """Put a call where it goes on: into the round if it is answered, else among those that wait."""
        if call.waits():
            self._waiting.append(call)
        else:
            self._answered.append(call)

    def run(self) -> None:
        """Take events until `stopped`; each brings its tag, whose `arrived` says what it means."""
        poll, answered, waiting, room = self._poll, self._answered, self._waiting, self.room
        while not self.stopped:
            event = None  # a finished call must not live until the next event
            event = poll(0 if answered or waiting or room.crowded() else self._next_look())
            if event.tag is not None:
                try:
                    event.tag.arrived(event)
                except Exception:  # noqa: BLE001 - one event that goes wrong must not end the thread that serves all
                    _log.exception("an event of gRPC could not be taken")
            if event.tag is None:
                room.end_turn()
                self._end_round()
            elif len(answered) + len(waiting) >= ROUND:
                self._end_round()

    def _end_round(self) -> None:
        now = time.monotonic()
        while self._doubted and self._doubted[0][0] <= now:
            _do(self._doubted.popleft()[1].settle_doubt)
        answered, waiting = self._answered.copy(), [call for call in self._waiting if call.waits()]
        self._answered.clear()
        self._waiting.clear()
        self._send(answered)
        if waiting:
            self._unwatched.append((now + PATIENCE, waiting))
            give_turn()
        self._watch(now)
        if now >= self._next_sweep:
            self._next_sweep = now + SWEEP
            self._sweep()
        while self.writer.backlog() > BACKLOG:
            time.sleep(PAUSE)

    def _send(self, answered: list[RoundCall]) -> None:
        if len(answered) > AT_ONCE:
            self.writer.send(answered)
            return
        for call in answered:
            self.room.taken -= 1
            _do(call.send)

    def _watch(self, now: float) -> None:
        """Hand over the calls whose time has come and that still wait."""
        while self._unwatched and self._unwatched[0][0] <= now:
            _, calls = self._unwatched.popleft()
            calls = [call for call in calls if call.waits()]
            if calls:
                self.writer.watch(calls)

    def _sweep(self) -> None:
        for call in list(self.live):
            _do(call.grow_older)

    def _next_look(self) -> float | None:
        """Return when there is something to do for a call, in gRPC's seconds since the epoch; `None` for never."""
        now = time.monotonic()
        doubt = self._doubted[0][0] if self._doubted else inf
        due = min(self._next_watch(), doubt, now + SWEEP if self.live else inf)
        return None if due == inf else time.time() - now + due

    def _next_watch(self) -> float:
        while self._unwatched:
            due, calls = self._unwatched[0]
            if any(call.waits() for call in calls):
                return due
            self._unwatched.popleft()
        return inf


def _do(step: Callable[[], None]) -> None:
    try:
        step()
    except Exception:  # noqa: BLE001 - as above, and for the writer
        _log.exception("an answer could not be sent")
