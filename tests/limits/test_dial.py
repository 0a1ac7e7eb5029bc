"""Opening links: one attempt at a time, its result handed over, nothing left behind."""

from __future__ import annotations

import threading

from authz.errors import Unavailable
from authz.limits.dial import Dialer
from tests.limits.conftest import eventually


class Door:
    """A link that opens when the test lets it."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.let = threading.Event()
        self.closed = False

    def open(self, script: str) -> None:
        assert script == "script"
        assert self.let.wait(5)
        if self.fault:
            raise self.fault

    def close(self) -> None:
        self.closed = True


def test_one_attempt_at_a_time() -> None:
    """Told to dial again while it does, it does not; it wakes who waits and hands over the link once."""
    door, made, woken = Door(), [], threading.Event()

    def connect() -> Door:
        made.append(door)
        return door

    dialer = Dialer(connect, "script", woken.set)
    for _ in range(5):
        dialer.dial()
    assert dialer.busy
    assert dialer.result() is None
    door.let.set()
    assert woken.wait(5)
    assert dialer.result() is door
    assert dialer.result() is None
    assert not dialer.busy
    assert made == [door]


def test_what_fails_is_handed_over_as_unavailable() -> None:
    """Whatever breaks on the way is a reason, a missing password file too, and the next attempt may begin."""
    for fault, told in ((Unavailable("refused"), "refused"), (FileNotFoundError("/run/canary"), "FileNotFoundError")):
        door = Door(fault)
        door.let.set()
        dialer = Dialer(lambda door=door: door, "script", lambda: None)
        dialer.dial()
        results: list[object] = []
        eventually(lambda: results.append(dialer.result()) or results[-1] is not None)  # noqa: B023 - called here
        assert isinstance(results[-1], Unavailable)
        assert str(results[-1]) == told
        assert not dialer.busy


def test_closing_closes_what_an_attempt_brings() -> None:
    """A link that arrives too late is not left open."""
    door = Door()
    dialer = Dialer(lambda: door, "script", door.let.set)
    dialer.dial()
    door.let.set()
    dialer.close()
    assert door.closed
