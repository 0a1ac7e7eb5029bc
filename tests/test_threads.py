"""How our threads share a processor."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from authz.threads import give_turn, give_way

if TYPE_CHECKING:
    from collections.abc import Callable


def in_a_thread(work: Callable[[], None]) -> int:
    """Return the scheduling policy of a thread once it has done something."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: (work(), found.append(os.sched_getscheduler(0))))
    thread.start()
    thread.join()
    return found[0]


def test_a_thread_gives_way_and_its_process_does_not() -> None:
    """Only the thread that asks is woken without haste; whoever started it is as before."""
    assert in_a_thread(give_way) == os.SCHED_BATCH
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_where_it_is_forbidden_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox that does not allow it costs speed, not the thread."""

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    assert in_a_thread(give_way) == os.SCHED_OTHER


def test_a_turn_is_given_to_a_thread_that_waits_for_the_processor() -> None:
    """On one processor, what another thread has to do is done when the turn comes back."""
    allowed = os.sched_getaffinity(0)
    wanted, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: (give_way(), wanted.wait(), done.set()))
    try:
        os.sched_setaffinity(0, {min(allowed)})
        thread.start()
        wanted.set()
        turns = 0
        while not done.is_set() and turns < 100:
            turns += 1
            give_turn()
    finally:
        os.sched_setaffinity(0, allowed)
        thread.join()
    assert turns < 100
