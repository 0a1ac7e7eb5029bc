"""Limits for tests, with a store that can be away."""

from __future__ import annotations

from authz.model import Charge, Limit, LimitOutcome, OnError, Usage
from authz.testing.counting import Counting

LIMIT = Limit(name="a/b", requests=3, period=60.0, on_error=OnError.LOCAL)


def charged(counting: Counting, *, peek: bool = False) -> Usage:
    """Charge the limit once and return what it said."""
    said: list[Usage] = []
    (counting.peek if peek else counting.charge)([Charge(limit=LIMIT, key=("x",))], 0.0, said.append)
    return said[0]


def test_local_goes_on_from_what_the_store_last_said() -> None:
    """R2: two are taken, Redis goes away, one is left here."""
    counting = Counting(lambda: 1e9)
    assert charged(counting).admitted
    assert charged(counting).admitted
    counting.down = True
    assert charged(counting, peek=True).admitted
    assert charged(counting).limits[0].outcome is LimitOutcome.DEGRADED_ALLOW
    assert not charged(counting).admitted


def test_nothing_to_charge_is_nothing_to_ask() -> None:
    """An outage concerns only those who are counted."""
    counting = Counting(lambda: 1e9)
    counting.down = True
    said: list[Usage] = []
    counting.charge([], 0.0, said.append)
    assert said[0].admitted
