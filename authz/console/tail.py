"""The latest decisions, kept only while somebody watches.

With nobody watching an outcome costs one look at a number. With a watcher it goes into a ring as it is; whoever reads
the ring, on the thread of the admin port, makes records of what is to be shown. The deciding threads wake nobody.
"""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from authz.audit import LineWriter, Record, record_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authz.audit import ReadsWriter
    from authz.model import Outcome, Request

KEPT = 1024
"""Outcomes in the ring: at 4000 a second, as many as come between two looks of a watcher."""

SHOWN = 40
"""Decisions told at one look; a person reads no more."""

MOST_WATCHERS = 8

_FIELDS = attrgetter("id", "decision", "reason", "policy", "rule", "source", "client")
_REQUEST_FIELDS = attrgetter("id", "method", "host", "path")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which decisions a watcher wants: of one effect, and with a text in any field that is shown; `""` for any."""

    decision: str = ""
    text: str = ""

    def fits(self, record: Record) -> bool:
        """Say whether a record is wanted."""
        if self.decision and record.decision != self.decision:
            return False
        if not self.text:
            return True
        fields = [*_FIELDS(record), record.identity.subject, record.identity.provider]
        if record.request is not None:
            fields += _REQUEST_FIELDS(record.request)
        text = self.text.lower()
        return any(field is not None and text in field.lower() for field in fields)


class Tail:
    """An observer that keeps what watchers have not seen.

    `client_ip` finds the caller behind trusted proxies, `reads` writes what decisions depended on.
    """

    def __init__(
        self,
        worker: int = 0,
        client_ip: Callable[[Request], str] = attrgetter("source.ip"),
        reads: ReadsWriter | None = None,
    ) -> None:
        self.line = LineWriter(worker, client_ip, reads)
        """Writes what may be shown of an outcome: what may be recorded."""
        self._ring: deque[tuple[int, Outcome]] = deque(maxlen=KEPT)
        self._numbers = count(1)
        self.watchers = 0
        self.ended = False

    def end(self) -> None:
        """Tell watchers to go, for the port is about to close."""
        self.ended = True

    def __call__(self, outcome: Outcome) -> None:
        """Keep an outcome while somebody watches."""
        if self.watchers:
            self._ring.append((next(self._numbers), outcome))

    @contextmanager
    def watch(self, wanted: Wanted) -> Iterator[Watcher]:
        """Keep outcomes for one more watcher; on the thread of the admin port only."""
        self.watchers += 1
        try:
            yield Watcher(self, wanted, next(self._numbers))
        finally:
            self.watchers -= 1
            if not self.watchers:
                self._ring.clear()

    def after(self, number: int) -> list[tuple[int, Outcome]]:
        """Return what came after an outcome and is still here."""
        return [entry for entry in self._ring.copy() if entry[0] > number]


class Watcher:
    """One reader of the ring, and how far it has read."""

    def __init__(self, tail: Tail, wanted: Wanted, number: int) -> None:
        self._tail = tail
        self._wanted = wanted
        self._number = number

    def look(self) -> bytes | None:
        """Return what is new and wanted as one JSON object, and how much of it there was no room for; `None`: nothing.

        `decisions` are records, the oldest first; `missed` counts outcomes that left the ring unseen or were too many.
        """
        came = self._tail.after(self._number)
        if not came:
            return None
        missed = came[0][0] - self._number - 1
        self._number = came[-1][0]
        lines = (self._tail.line(outcome) for _, outcome in came)
        fitting = [line for line in lines if self._wanted.fits(record_in(line))]
        shown = fitting[-SHOWN:]
        missed += len(fitting) - len(shown)
        decisions = b",".join(line[:-1] for line in shown)
        return b'{"missed":%d,"decisions":[%b]}' % (missed, decisions) if shown or missed else None
