"""How the limiter thread sleeps and is woken."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from authz.limits.waking import NEVER, Bell


@pytest.fixture
def bell() -> Iterator[Bell]:
    """Return a bell."""
    made = Bell()
    yield made
    made.close()


def test_it_sleeps_as_long_as_it_may_and_no_longer(bell: Bell) -> None:
    """Nobody waits past their deadline because nothing happens."""
    before = time.monotonic()
    assert not bell.sleep(0.02)
    assert time.monotonic() - before >= 0.02


def test_whoever_rings_wakes_it_once(bell: Bell) -> None:
    """However often they rang: what it finds then is everything."""
    for _ in range(100):
        bell.ring()
    assert not bell.sleep(NEVER)
    before = time.monotonic()
    bell.sleep(0.02)
    assert time.monotonic() - before >= 0.02


def test_another_thread_wakes_a_sleeper(bell: Bell) -> None:
    """Also one that would sleep for ever."""
    ringing = threading.Thread(target=bell.ring)
    ringing.start()
    bell.sleep(NEVER)
    ringing.join()


def test_only_who_cannot_wait_rings(bell: Bell) -> None:
    """A caller whose time comes after it wakes by itself spares it; of many that can't wait, one rings."""
    bell.wakes_at = 10.0
    bell.ring_before(11.0)
    assert bell.wakes_at == 10.0
    bell.ring_before(9.0)
    assert bell.wakes_at == 0.0
    assert not bell.sleep(NEVER)


def test_a_connection_that_has_something_is_told_from_a_ring(bell: Bell) -> None:
    """What is not heard is not read; what is ignored does not wake."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        bell.hear(ours.fileno())
        bell.ring()
        assert not bell.sleep(NEVER)
        theirs.send(b"reply")
        bell.ring()
        assert bell.sleep(NEVER)
        bell.ignore(ours.fileno())
        assert not bell.sleep(0)
        bell.hear(ours.fileno(), writable=True)
        ours.recv(5)
        assert bell.sleep(NEVER)
        bell.hear(ours.fileno())
        assert not bell.sleep(0)


def test_a_bell_that_is_closed_is_rung_in_vain() -> None:
    """Who hands over at the very end learns it in another way."""
    made = Bell()
    made.close()
    made.ring()
