"""Records leave the request path here: a bounded queue, and one thread that writes what is in it.

The queue never blocks: when it is full the record is dropped and counted, and the answer has long been given. An
outcome becomes a line at once, while the request is at hand, on the page that is being filled. The thread that writes
is woken by the first line and lets others gather, because waking it for each would cost more than the line does.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from operator import attrgetter
from queue import SimpleQueue
from typing import TYPE_CHECKING

from authz.audit.line import LineWriter, event_line
from authz.audit.page import ROOM, Page
from authz.audit.sampling import Sampling
from authz.threads import give_way

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz.audit.chain import Chain
    from authz.audit.reads import ReadsWriter
    from authz.audit.sinks import Sink
    from authz.model import Outcome, Request

CAPACITY = 16_384
"""Lines that may wait; at 10 000 a second, a sink may stall for a second and a half."""

SPARE = 4
"""Pages that are kept for the next lines."""

GATHER = 0.0005
"""Seconds that the first record of a batch waits for others: so few that they are still in the processor's cache."""


class Recorder:
    """An observer that writes one line per outcome. `dropped` and `written` are counters to read.

    `client_ip` finds the caller of a request behind trusted proxies, `reads` writes what decisions depended on, `chain`
    links each line to the one before, on the thread that writes.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        sampling: Sampling | None = None,
        worker: int = 0,
        client_ip: Callable[[Request], str] = attrgetter("source.ip"),
        reads: ReadsWriter | None = None,
        chain: Chain | None = None,
        capacity: int = CAPACITY,
        fault: Callable[[BaseException], None] = lambda _: None,
    ) -> None:
        self._sink = sink
        self._sampling = sampling or Sampling()
        self._samples = (self._sampling.allow, self._sampling.deny, self._sampling.redirect) != (1.0, 1.0, 1.0)
        self._worker = worker
        self._lines = LineWriter(worker, client_ip, reads)
        self._chain = chain
        self._capacity = capacity
        self._fault = fault
        self._adding = threading.Lock()
        self._page = Page()
        self._full: deque[Page] = deque()
        self._spare: list[Page] = []
        self._waiting = 0
        self._woken = False
        self._bell: SimpleQueue[None] = SimpleQueue()  # a tenth of what an Event costs, and it rings often
        self._closing = False
        self._writer = threading.Thread(target=self._run, name="recorder", daemon=True)
        self.written = 0
        self.dropped = 0

    def start(self) -> None:
        """Begin to write."""
        self._writer.start()

    def __call__(self, outcome: Outcome) -> None:
        """Queue one outcome; drop it, and count that, where the queue is full."""
        if self._samples and not self._sampling.keeps(outcome):
            return
        try:
            line = self._lines.line(outcome)
        except Exception as error:  # noqa: BLE001 - what is wrong with one record costs that record only
            self._drop(1, error)
        else:
            self._put(line)

    def event(self, event: Mapping[str, object]) -> None:
        """Queue a record that is no decision: policies loaded, swapped, refused."""
        self._put(event_line(event, time.time(), self._worker))

    def status(self) -> dict[str, object]:
        """Say what was written; `last_hash` is that of the last record, where they are chained."""
        last = {} if self._chain is None else {"last_hash": self._chain.last}
        return {"written": self.written, "dropped": self.dropped, **last}

    def close(self, timeout: float = 5.0) -> None:
        """Write what is queued, for at most `timeout` seconds, and close the sink if that sufficed."""
        self._closing = True
        self._bell.put(None)
        self._writer.join(timeout)
        if not self._writer.is_alive():
            self._sink.close()

    def _put(self, line: bytes) -> None:
        with self._adding:
            if self._waiting >= self._capacity:
                self.dropped += 1
                return
            self._waiting += 1
            if not self._page.take(line):
                self._turn(len(line) + 1)
                self._page.take(line)
        if not self._woken:
            self._woken = True
            self._bell.put(None)

    def _turn(self, room: int = 0) -> None:
        """Begin a page, with room for a line at least."""
        self._full.append(self._page)
        self._page = self._spare.pop() if self._spare and room <= ROOM else Page(max(room, ROOM))

    def _run(self) -> None:
        give_way()
        while not self._closing:
            self._bell.get()
            if not self._closing:
                time.sleep(GATHER)
            self._woken = False  # before looking: who adds a line from here on wakes again
            self._drain()
        self._drain()

    def _drain(self) -> None:
        """Write what is there by now: lines that come meanwhile are to gather."""
        with self._adding:
            if self._page.count:
                self._turn()
            pages = len(self._full)
        for _ in range(pages):
            with self._adding:
                page = self._full.popleft()
                self._waiting -= page.count
            self._write(page)
            if len(self._spare) < SPARE:
                self._spare.append(page.cleared())

    def _write(self, page: Page) -> None:
        try:
            self._keep(page.lines())
            self.written += page.count
        except Exception as error:  # noqa: BLE001 - a sink that fails costs records, never the recorder
            self._drop(page.count, error)

    def _drop(self, count: int, error: Exception) -> None:
        with self._adding:
            self.dropped += count
        self._fault(error)

    def _keep(self, lines: memoryview) -> None:
        if self._chain is None:
            self._sink.write(lines)
            return
        linked, last = self._chain.linked(bytes(lines))
        self._sink.write(linked)
        self._chain.last = last
