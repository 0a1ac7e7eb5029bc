"""What only the fast transport has: its threads, its operations, its end. The rest: test_transports."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from typing import Any

import pytest

from authz.transport import TransportName, fast

PATIENCE = 10.0
THREADS = {"authz-poll", "authz-write", "authz-aio"}


@pytest.fixture
def transport() -> TransportName:
    """Only this one."""
    return TransportName.FAST


def test_two_threads_and_none_per_call(serve: Any, connect: Any, desk: Any) -> None:
    """One thread polls, one writes, however many calls are in flight."""
    server = serve()
    client = connect(server)
    futures = [client.check.future(b"wait", timeout=PATIENCE) for _ in range(64)]
    calls = [desk.waiting.get(timeout=PATIENCE) for _ in futures]
    ours = sorted(thread.name for thread in threading.enumerate() if thread.name in THREADS)
    assert ours == ["authz-poll", "authz-write"]
    for call in calls:
        call.answer(b"done")
    assert {future.result() for future in futures} == {b"done"}


def test_a_check_that_never_returns_does_not_keep_stop(
    serve: Any, connect: Any, desk: Any, monkeypatch: Any, caplog: Any
) -> None:
    """The polling thread is stuck in a check: `stop` says so and returns; once the check is over, the threads end."""
    monkeypatch.setattr(fast, "LAST", 0.1)
    stuck, over = threading.Event(), threading.Event()

    def check(_message: bytes, call: Any) -> None:
        stuck.set()
        over.wait(PATIENCE)
        call.answer(b"late")

    desk.check = check
    server = serve()
    future = connect(server).check.future(b"x", timeout=PATIENCE)
    assert stuck.wait(PATIENCE)
    polling = next(thread for thread in threading.enumerate() if thread.name == "authz-poll")
    assert server.stop(0.05) == 1
    assert "keeps the polling thread" in caplog.text
    over.set()
    polling.join(PATIENCE)
    assert not polling.is_alive()
    assert future.exception() is not None


def test_a_burst_on_slow_checks_is_refused_in_words(serve: Any, connect: Any, desk: Any) -> None:
    """Calls that pile up behind slow checks are in flight, too: above the bound they are refused, and all answered."""
    original, never = desk.check, threading.Event()
    desk.check = lambda message, call: (never.wait(0.01), original(message, call))
    client = connect(serve(max_in_flight=20))
    futures = [client.check.future(b"x", timeout=PATIENCE) for _ in range(95)]
    answers = Counter(future.result() for future in futures)
    assert set(answers) == {b"answer to x", b"refused overloaded"}
    assert answers[b"answer to x"] >= 20


def test_threads_that_compute_yield_soon(serve: Any) -> None:
    """The interpreter changes threads ten times as often as by default: the writer waits for it no longer."""
    serve()
    assert sys.getswitchinterval() == pytest.approx(fast.SWITCH_INTERVAL)
