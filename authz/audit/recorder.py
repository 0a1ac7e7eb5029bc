"""Records leave the request path here: a bounded queue, and one thread that writes what is in it.

The queue never blocks: when it is full the record is dropped and counted, and the answer has long been given. What a
line says is gathered at once, while the request is at hand. The thread that writes is woken by the first and lets
others come, because waking it for each would cost more than the line does, and many are written for less than each.

A line can be a hundred times as long as another, and who asks has a say in it. So where a sink falls behind, lines are
written before they wait, and wait as bytes, which are counted.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING

from msgspec import Raw

from authz.audit.line import LineWriter, encoded
from authz.audit.sampling import Sampling
from authz.threads import give_way

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz.audit.chain import Chain
    from authz.audit.sinks import Sink
    from authz.model import Outcome

CAPACITY = 16_384
"""Lines that may wait; at 10 000 a second, a sink may stall for a second and a half."""

HEAVIEST = 16 * 2**20
"""Bytes that lines may take while they wait for a sink that is behind: as many as that many usual ones take."""

LONGEST_LINE = 2**19
"""Bytes that no line is longer than: texts are cut and lists are short."""

BEHIND = 1024
"""Lines that wait where a sink is behind; a tenth of a second at 10 000 a second."""

TOGETHER = 128
"""Lines that are written at once: some ninety kilobytes, which memory at hand has room for."""

GATHER = 0.0005
"""Seconds that the first record of a batch waits for others: so few that they are still in the processor's cache."""


class Recorder:
    """An observer that writes one line per outcome. `dropped` and `written` are counters to read.

    `lines` says what the line of an outcome holds, `chain` links each to the one before, on the thread that writes.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        sampling: Sampling | None = None,
        lines: LineWriter | None = None,
        chain: Chain | None = None,
        capacity: int = CAPACITY,
        fault: Callable[[BaseException], None] = lambda _: None,
    ) -> None:
        self._sink = sink
        self._sampling = sampling or Sampling()
        self._samples = (self._sampling.allow, self._sampling.deny, self._sampling.redirect) != (1.0, 1.0, 1.0)
        self._lines = lines or LineWriter()
        self._chain = chain
        self._capacity = capacity
        self._fault = fault
        self._waiting: deque[object] = deque()
        self._weight = 0  # of the lines that wait as bytes
        self._counting = threading.Lock()
        self._woken = False
        self._bell: SimpleQueue[None] = SimpleQueue()  # a tenth of what an Event costs, and it rings often
        self._closing = False
        self._failing = False
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
        self._put(self._lines.event(event, time.time()))

    def status(self) -> dict[str, object]:
        """Say what was written; `last_hash` is that of the last record, where they are chained."""
        last = {} if self._chain is None else {"last_hash": self._chain.last}
        return {"written": self.written, "dropped": self.dropped, **last}

    def stuck(self) -> bool:
        """Say whether a record that came now would be lost: nothing more can wait, or the last could not be written."""
        return self._failing or len(self._waiting) >= self._capacity or self._weight > HEAVIEST - LONGEST_LINE

    def close(self, timeout: float = 5.0) -> None:
        """Write what is queued, for at most `timeout` seconds; close the sink if that sufficed, else it is dropped."""
        self._closing = True
        self._bell.put(None)
        self._writer.join(timeout)
        if self._writer.is_alive():
            self._count_dropped(len(self._waiting))
        else:
            self._sink.close()

    def _put(self, line: object) -> None:
        waiting = len(self._waiting)
        if waiting >= self._capacity:
            self._count_dropped(1)
        elif waiting < BEHIND:
            self._add(line)
        elif written := self._alone(line):
            self._put_written(written)

    def _put_written(self, line: bytes) -> None:
        with self._counting:
            heavy = self._weight + len(line) > HEAVIEST
            self._weight += 0 if heavy else len(line)
        if heavy:
            self._count_dropped(1)
        else:
            self._add(Raw(line[:-1]))

    def _add(self, line: object) -> None:
        self._waiting.append(line)
        if not self._woken:
            self._woken = True
            self._bell.put(None)

    def _run(self) -> None:
        give_way()
        while not self._closing:
            self._bell.get()
            self._write_while_they_come()
        self._drain()

    def _write_while_they_come(self) -> None:
        """Write until a while brings nothing, so that where there is always something nobody has to ring."""
        while not self._closing:
            time.sleep(GATHER)
            if not self._waiting:
                self._woken = False  # before the last look: who adds a line from here on rings
                if not self._waiting:
                    return
            self._drain()

    def _drain(self) -> None:
        """Write what is there by now: lines that come meanwhile are to gather."""
        left = len(self._waiting)
        while left:
            lines = [self._waiting.popleft() for _ in range(min(left, TOGETHER))]
            left -= len(lines)
            self._unweigh(lines)
            self._write(lines)

    def _unweigh(self, lines: list[object]) -> None:
        weight = sum(len(line) + 1 for line in lines if type(line) is Raw)
        if weight:
            with self._counting:
                self._weight -= weight

    def _write(self, lines: list[object]) -> None:
        written, count = self._encoded(lines)
        try:
            self._keep(written)
            self.written += count
            self._failing = False
        except Exception as error:  # noqa: BLE001 - a sink that fails costs records, never the recorder
            self._failing = True
            self._drop(count, error)

    def _encoded(self, lines: list[object]) -> tuple[bytes, int]:
        """Return lines as they are written, and how many; one that can't be is dropped."""
        try:
            return encoded(lines), len(lines)
        except Exception:  # noqa: BLE001 - as above: of one of them, and the others are written
            alone = list(filter(None, map(self._alone, lines)))
            return b"".join(alone), len(alone)

    def _alone(self, line: object) -> bytes:
        """Return one line as it is written, or nothing, and drop it."""
        try:
            return encoded((line,))
        except Exception as error:  # noqa: BLE001 - as above
            self._drop(1, error)
            return b""

    def _drop(self, count: int, error: Exception) -> None:
        self._count_dropped(count)
        self._fault(error)

    def _count_dropped(self, count: int) -> None:
        with self._counting:
            self.dropped += count

    def _keep(self, lines: bytes) -> None:
        if self._chain is None:
            self._sink.write(lines)
            return
        linked, last = self._chain.linked(lines)
        self._sink.write(linked)
        self._chain.last = last
