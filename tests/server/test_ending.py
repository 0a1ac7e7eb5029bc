"""Who asked for an exception hears when it is over."""

from __future__ import annotations

import logging
import queue
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from authz.policy import ListedEntry
from authz.server.ending import MOST, Endings, Prepared, shown, summary, tell
from authz.store import Loaded

if TYPE_CHECKING:
    from collections.abc import Iterator

LOADED = Loaded(generation=2, digest="d", files=1, at=0.0, seconds=0.0)


def entry(until: float, value: object = "10.0.0.1") -> ListedEntry:
    """Return an entry that ends."""
    return ListedEntry(data="guests", file="a.yaml", value=value, until=until, reason="pen test", ticket="OPS-1")


class Told(logging.Handler):
    """Hands over what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: queue.Queue[Any] = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.put((record.getMessage(), record.__dict__["fields"]))


@pytest.fixture
def told() -> Iterator[queue.Queue[Any]]:
    """Return what the module logs."""
    handler, log = Told(), logging.getLogger("authz.server.ending")
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield handler.lines
    log.removeHandler(handler)
    log.setLevel(level)


class FixedStore:
    """Policies with these entries, in one generation after another."""

    def __init__(self) -> None:
        self.entries: tuple[ListedEntry, ...] = ()
        self.generation = 0
        self.prepared = 0.0
        self.policies: Any = self

    @property
    def ending(self) -> tuple[ListedEntry, ...]:
        return self.entries

    def prepare(self, time: float) -> None:
        self.prepared = time

    def __call__(self) -> Any:
        return self if self.generation else None

    def serve(self, *entries: ListedEntry) -> None:
        self.entries, self.generation = entries, self.generation + 1


def test_an_end_is_told_when_it_comes(told: queue.Queue[Any]) -> None:
    """Of policies that came into force before and after the start; what had ended by then is told in one line."""
    store = FixedStore()
    endings = Endings(store)
    endings.start()
    try:
        store.serve(entry(0), entry(time.time() + 0.05))
        endings(LOADED)
        assert told.get(timeout=10)[1] == {"count": 1, "data": ["guests"]}
        message, fields = told.get(timeout=10)
        assert (message, fields["data"], fields["ticket"]) == ("an entry of data has ended", "guests", "OPS-1")
        store.serve(entry(time.time() + 0.05, "later"))
        endings(LOADED)
        assert told.get(timeout=10)[1]["value"] == "later"
    finally:
        endings.stop()
    assert told.empty()
    assert store.prepared > 0


def test_very_many_ends_at_once_are_counted(told: queue.Queue[Any]) -> None:
    """A hundred lines and one that says how many more: nobody fills a log with one file of data."""
    tell([entry(1)] * (MOST + 5))
    assert told.qsize() == MOST + 1
    assert list(told.queue)[-1][1] == {"count": 5}


def test_what_ends_is_shown_as_it_is_written() -> None:
    """In the words of the document, times in UTC; how many count, how many have ended, and when the next one does."""
    assert shown(entry(1_798_675_200.5)) == {
        "data": "guests", "key": "", "value": "10.0.0.1", "until": "2026-12-31T00:00:00.500000Z", "reason": "pen test",
        "ticket": "OPS-1",
    }  # fmt: skip
    entries = [entry(1), entry(2), entry(3)]
    assert summary(entries, 2) == {"active": 1, "ended": 2, "next_end": "1970-01-01T00:00:03Z"}
    assert summary(entries, 9) == {"active": 0, "ended": 3, "next_end": None}


def test_policies_come_into_force_with_their_data_made(told: queue.Queue[Any]) -> None:
    """The thread that reloads pays for it, and not the first request."""
    store = FixedStore()
    compiler: Any = SimpleNamespace(compile=lambda _: store)
    assert Prepared(compiler, clock=lambda: 7.0).compile({}) is store  # type: ignore[comparison-overlap]
    assert store.prepared == 7.0
    assert told.empty()
