"""Work in the background rests often, and only where somebody could be kept waiting."""

from __future__ import annotations

import threading
import time

import pytest

from authz.server import pacing
from authz.server.pacing import LONG_REST, PATIENT, REST, WORK, Pace


def steps(pace: Pace, seconds: float) -> tuple[float, float]:
    """Work for so many seconds of this thread, step by step; return the CPU seconds and the seconds of the clock."""
    cpu, clock = time.thread_time(), time.monotonic()
    while time.thread_time() - cpu < seconds:
        pace()
    return time.thread_time() - cpu, time.monotonic() - clock


@pytest.mark.parametrize(("pace", "rest"), [(Pace(), REST), (Pace(LONG_REST), LONG_REST)])
def test_work_beside_others_rests(pace: Pace, rest: float) -> None:
    """For every `WORK` there is a rest: most of the time, the interpreter is left to who serves."""
    taken: list[tuple[float, float]] = []
    thread = threading.Thread(target=lambda: taken.append(steps(pace, 20 * WORK)))
    thread.start()
    thread.join()
    ((cpu, clock),) = taken
    assert clock - cpu >= 10 * rest


def test_the_main_thread_does_not_rest() -> None:
    """Nobody is served while the main thread compiles: at the start, and in a command."""
    pace = Pace()
    steps(pace, 5 * WORK)
    assert pace._rested == 0.0


def test_who_works_for_long_rests_shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of very many documents is in force in the end; the next small one is patient again."""
    clock, rests = [100.0], list[float]()
    monkeypatch.setattr(pacing.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(pacing.time, "sleep", rests.append)
    monkeypatch.setattr(pacing.threading, "main_thread", lambda: None)
    pace = Pace(LONG_REST)
    for after in (0.0, 2 * WORK, PATIENT / 2, PATIENT / 2, 2 * PATIENT, 2 * WORK):
        clock[0] += after
        pace()
    assert rests == [LONG_REST, LONG_REST, LONG_REST, REST, LONG_REST, LONG_REST]
