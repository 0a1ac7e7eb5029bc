"""When the breaker opens, how it probes, and that it never leaves anybody waiting."""

from __future__ import annotations

from authz.limits.breaker import Breaker, BreakerState


def opened(breaker: Breaker, now: float = 0.0) -> Breaker:
    """Trip a breaker."""
    breaker.trip(now)
    return breaker


def test_five_failures_in_a_row_open_it() -> None:
    """Four do not, and a success in between starts the row over."""
    breaker = Breaker()
    for _ in range(4):
        breaker.failed(0.0)
    breaker.succeeded(0.0)
    for _ in range(4):
        breaker.failed(1.0)
    assert breaker.allows()
    breaker.failed(1.0)
    assert breaker.state is BreakerState.OPEN
    assert not breaker.allows()


def test_half_of_twenty_in_a_second_open_it() -> None:
    """Failures that are never five in a row still count; in another second they are forgotten."""
    breaker = Breaker()
    for _ in range(9):
        breaker.failed(0.5)
        breaker.succeeded(0.5)
    breaker.succeeded(1.5, 10)
    breaker.failed(1.5)
    assert breaker.allows()
    for _ in range(10):
        breaker.succeeded(2.5)
        breaker.failed(2.5)
    assert breaker.state is BreakerState.OPEN


def test_half_open_lets_one_through() -> None:
    """One probe; the others are answered at once; its success closes, its failure opens for longer."""
    breaker = opened(Breaker())
    breaker.reached()
    assert [breaker.allows() for _ in range(3)] == [True, False, False]
    breaker.failed(10.0)
    assert breaker.state is BreakerState.OPEN
    breaker.reached()
    assert breaker.allows()
    breaker.succeeded(11.0)
    assert breaker.state is BreakerState.CLOSED
    assert breaker.opened == 1


def test_the_pause_doubles_up_to_its_longest_and_is_spread() -> None:
    """Between half of the pause and all of it, never beyond the longest, and not the same for everybody."""
    breaker = Breaker(shortest=1.0, longest=4.0, seed=1)
    pauses = []
    for _ in range(5):
        breaker.trip(0.0)
        pauses.append(breaker.retry_at)
    for pause, longest in zip(pauses, (1.0, 2.0, 4.0, 4.0, 4.0), strict=True):
        assert longest / 2 <= pause <= longest
    first = {opened(Breaker(seed=seed)).retry_at for seed in range(20)}
    assert len(first) == 20


def test_a_closed_breaker_starts_with_the_shortest_pause() -> None:
    """What was long ago does not count."""
    breaker = Breaker(shortest=1.0, longest=8.0, seed=1)
    for _ in range(4):
        breaker.trip(0.0)
    breaker.reached()
    breaker.allows()
    breaker.succeeded(0.0)
    breaker.trip(0.0)
    assert breaker.retry_at <= 1.0
