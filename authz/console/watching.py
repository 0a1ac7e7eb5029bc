"""What a watcher of the tail sees: what it wants of what came while it watched, each decision once."""

from __future__ import annotations

from contextlib import contextmanager
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from authz.audit import Record, encoded, record_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.console.tail import Tail

SHOWN = 40
"""Decisions told at one look; a person reads no more."""

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
        lines = (encoded((line,)) for _, line in came)
        fitting = [line for line in lines if self._wanted.fits(record_in(line))]
        shown = fitting[-SHOWN:]
        missed += len(fitting) - len(shown)
        decisions = b",".join(line[:-1] for line in shown)
        return b'{"missed":%d,"decisions":[%b]}' % (missed, decisions) if shown or missed else None


@contextmanager
def watching(tail: Tail, wanted: Wanted) -> Iterator[Watcher]:
    """Have outcomes kept for one more watcher; on the thread of the admin port only."""
    number = tail.begin()
    try:
        yield Watcher(tail, wanted, number)
    finally:
        tail.leave()
