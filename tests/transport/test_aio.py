"""What only the aio transport has: its loop and its thread. The rest: test_transports."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from authz.transport import TransportName

PATIENCE = 10.0
THREADS = {"authz-poll", "authz-write", "authz-aio"}


@pytest.fixture
def transport() -> TransportName:
    """Only this one."""
    return TransportName.AIO


def test_one_thread_and_none_per_call(serve: Any, connect: Any, desk: Any) -> None:
    """One thread runs the loop, however many calls are in flight, and checks run on it."""
    threads = []
    original = desk.check
    desk.check = lambda message, call: (threads.append(threading.current_thread().name), original(message, call))
    client = connect(serve())
    futures = [client.check.future(b"wait", timeout=PATIENCE) for _ in range(64)]
    calls = [desk.waiting.get(timeout=PATIENCE) for _ in futures]
    assert [thread.name for thread in threading.enumerate() if thread.name in THREADS] == ["authz-aio"]
    for call in calls:
        call.answer(b"done")
    assert {future.result() for future in futures} == {b"done"}
    assert set(threads) == {"authz-aio"}


def test_an_answer_after_the_loop_has_ended_is_nothing(serve: Any, connect: Any, desk: Any) -> None:
    """A limiter may come back after the server has stopped: it gets no exception."""
    server = serve()
    future = connect(server).check.future(b"wait", timeout=PATIENCE)
    call = desk.waiting.get(timeout=PATIENCE)
    assert server.stop(0) == 1
    call.answer(b"late")
    assert future.exception() is not None
    assert call.cancelled
