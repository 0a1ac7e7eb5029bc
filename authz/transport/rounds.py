"""Which thread sends which answer, and when: the polling thread decides, the writer sends.

Why two threads: with one, every answer is a write of its own. The answers of a round (until nothing more has arrived,
ROUND at most) go to the writer together; its batches pile up behind gRPC's current write and leave in few. A round
of AT_ONCE is sent by the polling thread: there is nothing to share, and waking the writer would cost more.

Who sends: a call answered within `check` belongs to its round. Any other is the writer's, which watches it for a
cancel. `waits` is set once no answer was seen, and who answers looks at it after leaving the answer: whichever
comes first, the writer is told of the call with its answer in it, perhaps twice, and sends it once.

Counters have one writing thread each; a reader takes the difference. Knows gRPC only as something to poll.
"""

from __future__ import annotations

import logging
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROUND = 32
"""Calls that may wait for each other, where more keep coming: a millisecond of decisions."""

AT_ONCE = 2
"""Answers that are not worth waking the writer for."""

BACKLOG = 256
"""Rounds that may wait for the writer; above, the polling thread takes nothing new until the writer has caught up."""

PAUSE = 0.0005
"""Seconds the polling thread then leaves to the writer at a time."""

_log = logging.getLogger(__name__)


class RoundCall(Protocol):
    """A call as the two threads see it. `response` is None until it is answered; the rest is theirs."""

    response: Any
    waits: bool
    sent: bool

    def watch(self) -> None:
        """Learn of a cancel while the answer is awaited."""

    def send(self) -> None:
        """Send the answer; sets `sent`."""


class Writer:
    """Sends what it is handed, on its own thread. `hand(None)` ends it once everything before is sent."""

    def __init__(self) -> None:
        self._rounds: SimpleQueue[Sequence[RoundCall] | None] = SimpleQueue()
        self.hand = self._rounds.put
        self.backlog = self._rounds.qsize
        self.sent = 0

    def run(self) -> None:
        """Send until the end is handed over."""
        while (calls := self._rounds.get()) is not None:
            for call in calls:
                if call.response is None:
                    call.watch()
                elif not call.sent:
                    self.sent += 1
                    _send(call)


class Rounds:
    """The polling thread: takes what has arrived, decides it, and sends the answers on in rounds."""

    def __init__(self, poll: Callable[..., Any], writer: Writer, max_in_flight: int) -> None:
        self._poll = poll
        self._answered: list[RoundCall] = []
        self._waiting: list[RoundCall] = []
        self._max_in_flight = max_in_flight
        self.writer = writer
        self.taken = 0  # calls taken, less those that this thread has answered or dropped
        self.live = 0  # calls that gRPC has not finished
        self.stopped = False

    @property
    def in_flight(self) -> int:
        """How many calls are not answered yet."""
        return self.taken - self.writer.sent

    def take(self) -> bool:
        """Count one more call; whether there is room to decide it."""
        self.live += 1
        self.taken += 1
        return self.taken - self.writer.sent <= self._max_in_flight

    def drop(self) -> None:
        """Forget a call that needs no answer."""
        self.live -= 1
        self.taken -= 1

    def settle(self, call: RoundCall) -> None:
        """Put a call where it goes on: into the round if it is answered, else to the writer."""
        if call.response is None:
            call.waits = True
            self._waiting.append(call)
        else:
            self._answered.append(call)

    def arrived(self, _event: object) -> None:
        """Count a call that gRPC has finished: this object is the tag of every answer."""
        self.live -= 1

    def run(self) -> None:
        """Take events until `stopped`; each brings its tag, whose `arrived` says what it means."""
        poll, answered, waiting = self._poll, self._answered, self._waiting
        while not self.stopped:
            event = None  # a finished call must not live until the next event
            event = poll(0) if answered or waiting else poll()
            if event.tag is not None:
                try:
                    event.tag.arrived(event)
                except Exception:  # noqa: BLE001 - one event that goes wrong must not end the thread that serves all
                    _log.exception("an event of gRPC could not be taken")
                if len(answered) + len(waiting) < ROUND:
                    continue
            self._end_round()

    def _end_round(self) -> None:
        answered, waiting = self._answered.copy(), self._waiting.copy()
        self._answered.clear()
        self._waiting.clear()
        if waiting:
            self.writer.hand(waiting)
        if len(answered) > AT_ONCE:
            self.writer.hand(answered)
        else:
            for call in answered:
                self.taken -= 1
                _send(call)
        while self.writer.backlog() > BACKLOG:
            time.sleep(PAUSE)


def _send(call: RoundCall) -> None:
    try:
        call.send()
    except Exception:  # noqa: BLE001 - as above, and for the writer
        _log.exception("an answer could not be sent")
