"""Outcomes are kept while somebody watches, and nobody pays for watchers that are not there."""

from __future__ import annotations

import sys

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


def test_the_ring_holds_on_to_no_request() -> None:
    """O4: a thousand requests with bodies, kept for a watcher, would be more memory than all the rest."""
    tail = Tail()
    tail.begin()
    kept = outcome()
    holders = sys.getrefcount(kept.request)
    tail(kept)
    holding = sys.getrefcount(kept.request)
    assert holding == holders
