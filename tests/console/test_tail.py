"""Outcomes are kept while somebody watches, and nobody pays for watchers that are not there."""

from __future__ import annotations

from authz.console.tail import KEPT, Tail
from tests.console.conftest import outcome


def test_nothing_is_kept_while_nobody_watches() -> None:
    """Before the first watcher and after the last the ring is empty."""
    tail = Tail()
    tail(outcome())
    assert tail.after(0) == []
    tail.begin()
    tail(outcome())
    assert len(tail.after(0)) == 1
    tail.leave()
    assert tail.after(0) == []
    assert tail.watchers == 0


def test_the_ring_has_a_bound() -> None:
    """O4: a flood pushes out the oldest."""
    tail = Tail()
    seen = tail.begin()
    for number in range(1, KEPT + 101):
        tail(outcome(number))
    kept = tail.after(seen)
    assert len(kept) == KEPT
    assert kept[-1][1].id == f"d-{KEPT + 100}"
