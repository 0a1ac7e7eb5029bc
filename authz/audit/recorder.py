"""Records leave the request path here: a bounded queue, and one thread that writes what is in it.

The queue never blocks: when it is full the record is dropped and counted, and the answer has long been given.
Outcomes become lines a few at a time, on the thread that brings the last of them, while the requests are at hand: one
at a time, deciding and writing would push each other out of the processor's caches; kept for later, requests by the
hundred would push out what the next decision needs, which costs three times as much as the lines. The thread that
writes is woken by the first and lets others gather, because waking it for each would cost more than that; it takes over
those that are too few.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from operator import attrgetter
from typing import TYPE_CHECKING

from authz.audit.line import event_line, line_of
from authz.audit.reads import ReadsForm, ReadsWriter
from authz.audit.sampling import Sampling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz.audit.chain import Chain
    from authz.audit.sinks import Sink
    from authz.model import Outcome, Request

CAPACITY = 16_384
"""Lines that may wait; at 10 000 a second, a sink may stall for a second and a half."""

FEW = 32
"""Outcomes that become lines together; with their requests they stay within a processor's nearer caches."""

GATHER = 0.02
"""Seconds that the first record of a batch waits for others."""


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
        self._client_ip = client_ip
        self._reads = reads or ReadsWriter(ReadsForm.OFF)
        self._chain = chain
        self._capacity = capacity
        self._fault = fault
        self._adding = threading.Lock()
        self._entries: list[Outcome | bytes] = []
        self._piles: deque[tuple[bytes, int]] = deque()
        self._waiting = 0
        self._ready = threading.Event()
        self._closing = threading.Event()
        self._writer = threading.Thread(target=self._run, name="recorder", daemon=True)
        self.written = 0
        self.dropped = 0

    def start(self) -> None:
        """Begin to write."""
        self._writer.start()

    def __call__(self, outcome: Outcome) -> None:
        """Queue one outcome; drop it, and count that, where the queue is full."""
        if not self._samples or self._sampling.keeps(outcome):
            self._put(outcome)

    def event(self, event: Mapping[str, object]) -> None:
        """Queue a record that is no decision: policies loaded, swapped, refused."""
        self._put(event_line(event, time.time(), self._worker))

    def status(self) -> dict[str, object]:
        """Say what was written; `last_hash` is that of the last record, where they are chained."""
        last = {} if self._chain is None else {"last_hash": self._chain.last}
        return {"written": self.written, "dropped": self.dropped, **last}

    def close(self, timeout: float = 5.0) -> None:
        """Write what is queued, for at most `timeout` seconds, and close the sink if that sufficed."""
        self._closing.set()
        self._ready.set()
        self._writer.join(timeout)
        if not self._writer.is_alive():
            self._sink.close()

    def _put(self, entry: Outcome | bytes) -> None:
        with self._adding:
            if self._waiting >= self._capacity:
                self.dropped += 1
                return
            self._waiting += 1
            self._entries.append(entry)
            entries = self._taken() if len(self._entries) == FEW else None
        if not self._ready.is_set():
            self._ready.set()
        if entries is not None:
            self._pile(entries)

    def _taken(self) -> list[Outcome | bytes]:
        entries, self._entries = self._entries, []
        return entries

    def _pile(self, entries: list[Outcome | bytes]) -> None:
        """Make lines, and one text of them; an outcome that can't be written costs its own record only."""
        lines: list[bytes] = []
        for entry in entries:
            try:
                lines.append(entry if isinstance(entry, bytes) else self._line(entry))
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one, the others are written
                self._leave(1)
                self.dropped += 1
                self._fault(error)
        self._piles.append((b"".join(lines), len(lines)))

    def _line(self, outcome: Outcome) -> bytes:
        return line_of(outcome, self._worker, self._client_ip, self._reads)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._ready.wait()
            self._closing.wait(GATHER)
            self._ready.clear()
            self._drain()
        self._drain()

    def _drain(self) -> None:
        with self._adding:
            entries = self._taken()
        self._pile(entries)
        while self._piles:
            self._write(*self._piles.popleft())

    def _write(self, lines: bytes, count: int) -> None:
        self._leave(count)
        try:
            self._keep(lines)
            self.written += count
        except Exception as error:  # noqa: BLE001 - a sink that fails costs records, never the recorder
            self.dropped += count
            self._fault(error)

    def _leave(self, count: int) -> None:
        with self._adding:
            self._waiting -= count

    def _keep(self, lines: bytes) -> None:
        if self._chain is None:
            self._sink.write(lines)
            return
        linked, last = self._chain.linked(lines)
        self._sink.write(linked)
        self._chain.last = last
