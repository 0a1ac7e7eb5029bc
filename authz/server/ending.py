"""Entries of data that end, told when they do: a line in the log for each, as requests begin to be decided without it.

Nothing is decided here: every request is shown the data of its own time. This thread says what happened, for whoever
asked for the exception or wonders why somebody is denied since; and it makes ahead what data says after the next end.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from authz.store import Loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from authz.policy import ListedEntry, PolicySet
    from authz.store import Compiler, Snapshot, StoreEvent

_log = logging.getLogger(__name__)

LONGEST = 60.0
"""Seconds after which the clock is looked at again: somebody may have set it."""

MOST = 100
"""Entries that are told one by one when they end together."""

MOST_SHOWN = 10_000
"""Entries that a page shows."""


class Prepared:
    """A compiler whose policies have their data made for requests of now, before they come into force."""

    def __init__(self, compiler: Compiler, clock: Callable[[], float] = time.time) -> None:
        self._compiler = compiler
        self._clock = clock

    def compile(self, files: Mapping[str, bytes]) -> PolicySet:
        """Compile, and make what the first requests would have to."""
        policies = self._compiler.compile(files)
        policies.prepare(self._clock())
        return policies


class Endings:
    """Tells of the entries of the policies in force. Called with what the store tells, it looks at them anew."""

    def __init__(self, snapshot: Callable[[], Snapshot | None], clock: Callable[[], float] = time.time) -> None:
        self._snapshot = snapshot
        self._clock = clock
        self._generation = 0
        self._told = clock()
        self._stopped = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="endings", daemon=True)

    def __call__(self, event: StoreEvent) -> None:
        """Take note of new policies."""
        if isinstance(event, Loaded):
            self._wake.set()

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def stop(self) -> None:
        """Tell no more."""
        self._stopped = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped:
            self._wake.wait(self._tell())
            self._wake.clear()

    def _tell(self) -> float:
        """Tell what has ended since the last look, and return the seconds until the next look."""
        now, snapshot = self._clock(), self._snapshot()
        if snapshot is None:
            return LONGEST
        snapshot.policies.prepare(now)
        entries = snapshot.policies.ending
        if snapshot.generation != self._generation:
            self._generation = snapshot.generation
            self._already([entry for entry in entries if entry.until <= self._told])
        tell([entry for entry in entries if self._told < entry.until <= now])
        self._told = max(self._told, now)
        return min([LONGEST, *(entry.until - now for entry in entries if entry.until > now)])

    def _already(self, ended: list[ListedEntry]) -> None:
        if ended:
            about = {"count": len(ended), "data": sorted({entry.data for entry in ended})}
            _log.info("entries of data have ended and can be removed", extra={"fields": about})


def tell(ended: list[ListedEntry]) -> None:
    """Log each entry that has ended, and of very many how many there are."""
    for entry in ended[:MOST]:
        _log.warning("an entry of data has ended", extra={"fields": shown(entry)})
    if len(ended) > MOST:
        _log.warning("more entries of data have ended", extra={"fields": {"count": len(ended) - MOST}})


def shown(entry: ListedEntry) -> dict[str, object]:
    """Return an entry as people and programs read it."""
    return {
        "data": entry.data,
        "key": entry.key,
        "value": entry.value,
        "until": moment(entry.until),
        "reason": entry.reason,
        "ticket": entry.ticket,
    }


def summary(entries: Iterable[ListedEntry], now: float) -> dict[str, object]:
    """Return how many entries count for a time, how many have ended, and when the next one does."""
    ends = sorted(entry.until for entry in entries)
    coming = [end for end in ends if end > now]
    return {
        "active": len(coming),
        "ended": len(ends) - len(coming),
        "next_end": moment(coming[0]) if coming else None,
    }


def moment(seconds: float) -> str:
    """Return a time as documents write it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
