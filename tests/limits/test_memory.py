"""The store in memory: bounded, safe among threads, closed when full."""

from __future__ import annotations

import threading

from authz.limits.memory import MemoryLimiter
from authz.model import LimitOutcome, Mode, OnError, Usage
from tests.limits.conftest import answer, charge, limit


class Clock:
    """A clock the test holds."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_what_is_whole_again_is_dropped() -> None:
    """R9: keys come and go; the store keeps the live ones, not all there ever were."""
    clock = Clock()
    limiter = MemoryLimiter(clock=clock, max_keys=5000)
    for number in range(20_000):
        clock.now += 0.01
        assert answer(limiter.charge, [charge(limit(period=1.0), f"caller-{number}")]).admitted
    assert limiter.status()["keys"] <= 5000
    assert limiter.degraded == 0


def test_a_full_store_refuses_who_is_new_and_keeps_who_is_known() -> None:
    """R9: a flood of made-up callers washes nobody's count away, and `on_error` answers it."""
    clock = Clock()
    limiter = MemoryLimiter(clock=clock, max_keys=100)
    each = limit(requests=2)
    assert answer(limiter.charge, [charge(each, "bob")]).admitted
    flood = [answer(limiter.charge, [charge(each, f"eve-{number}")]) for number in range(300)]
    assert sum(usage.admitted for usage in flood) == 99
    assert flood[-1].limits[0].outcome is LimitOutcome.DEGRADED_DENY
    assert limiter.degraded == 201
    assert answer(limiter.charge, [charge(each, "bob")]).admitted
    assert not answer(limiter.charge, [charge(each, "bob")]).admitted
    allow = limit("orders/allow", on_error=OnError.ALLOW)
    assert answer(limiter.charge, [charge(allow, "new")]).limits[0].outcome is LimitOutcome.DEGRADED_ALLOW
    assert answer(limiter.charge, [charge(limit("orders/watch", mode=Mode.SHADOW), "new")]).admitted
    clock.now += 61
    assert answer(limiter.charge, [charge(each, "eve-299")]).admitted


def test_a_full_store_is_not_searched_for_every_charge() -> None:
    """O5: in a flood of new callers each would pay for a look at all that are known; once a second is enough."""
    clock = Clock()
    limiter = MemoryLimiter(clock=clock, max_keys=10)
    for number in range(11):
        answer(limiter.charge, [charge(limit(), f"caller-{number}")])
    searched = limiter._counters._states
    for number in range(11, 20):
        answer(limiter.charge, [charge(limit(), f"caller-{number}")])
    assert limiter._counters._states is searched
    clock.now += 1
    answer(limiter.charge, [charge(limit(), "caller-20")])
    assert limiter._counters._states is not searched


def test_a_full_store_tells_who_only_looks() -> None:
    """A peek opens no counter, so it needs no room: who is new is answered as ever, and nobody by `on_error`."""
    limiter = MemoryLimiter(clock=Clock(), max_keys=1)
    each = limit(requests=2)
    assert answer(limiter.charge, [charge(each, "bob")]).admitted
    looked = answer(limiter.peek, [charge(each, "eve")])
    assert (looked.admitted, looked.limits[0].outcome, looked.limits[0].remaining) == (True, LimitOutcome.OK, 2)
    assert limiter.degraded == 0


def test_threads_are_admitted_exactly() -> None:
    """Eight threads at once: the limit, to the one."""
    limiter = MemoryLimiter()
    each = charge(limit(requests=1000, period=86_400.0))
    heard: list[Usage] = []

    def flood() -> None:
        for _ in range(500):
            limiter.charge([each], 0.0, heard.append)

    threads = [threading.Thread(target=flood) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(heard) == 4000
    assert sum(usage.admitted for usage in heard) == 1000


def test_status_says_how_full_it_is() -> None:
    """The status names the store and its bound."""
    limiter = MemoryLimiter(max_keys=7)
    limiter.start()
    answer(limiter.charge, [charge(limit())])
    status = limiter.status()
    assert status.pop("busiest")
    assert status == {"store": "memory", "connected": True, "keys": 1, "max_keys": 7}
    limiter.close()
