"""What every store promises, on every store: the same tests over memory, Valkey and a Redis in a container."""

from __future__ import annotations

from datetime import datetime

import pytest

from authz.model import UNLIMITED, Algorithm, Align, LimitOutcome, Mode, OnError, Usage
from tests.limits.conftest import START, Store, charge, limit

TICK = 0.000001
ALGORITHMS = list(Algorithm)


def outcomes(usage: Usage) -> list[LimitOutcome]:
    """Return what each limit said."""
    return [each.outcome for each in usage.limits]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_admits_as_many_as_the_limit_and_no_more(store: Store, algorithm: Algorithm) -> None:
    """Three a minute admits three at once and refuses the fourth, counting down."""
    three = charge(limit(algorithm=algorithm))
    admitted = [store.charge(three) for _ in range(3)]
    assert [usage.admitted for usage in admitted] == [True] * 3
    assert [usage.limits[0].remaining for usage in admitted] == [2, 1, 0]
    refused = store.charge(three)
    assert not refused.admitted
    assert outcomes(refused) == [LimitOutcome.OVER]
    assert refused.limits[0].remaining == 0
    assert all(usage.limits[0].retry_after is None for usage in admitted)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("offset", [0.0, 0.000001, 13.370001, 59.999999])
@pytest.mark.parametrize("cost", [1, 2, 3])
def test_the_retry_time_is_exact_to_the_microsecond(
    store: Store, algorithm: Algorithm, offset: float, cost: int
) -> None:
    """A microsecond before `retry_after` the charge is refused, at it it is admitted."""
    each = limit(algorithm=algorithm)
    store.at(offset)
    assert store.charge(charge(each, cost=2)).admitted
    store.wait(7.000003)
    refused = store.charge(charge(each, cost=cost))
    while refused.admitted:
        refused = store.charge(charge(each, cost=cost))
    retry = refused.limits[0].retry_after
    assert retry is not None
    assert retry > 0
    store.wait(retry - TICK)
    before = store.charge(charge(each, cost=cost))
    assert not before.admitted
    assert before.limits[0].retry_after == TICK
    store.wait(TICK)
    assert store.charge(charge(each, cost=cost)).admitted


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_reset_time_is_exact_to_the_microsecond(store: Store, algorithm: Algorithm) -> None:
    """A microsecond before `reset` the limit is not whole, at it it is."""
    each = limit(algorithm=algorithm, requests=60)
    store.at(21.000007)
    reset = store.charge(charge(each, cost=60)).limits[0].reset
    store.wait(reset - TICK)
    assert store.peek(charge(each)).limits[0].remaining < 60
    assert store.peek(charge(each)).limits[0].reset == TICK
    store.wait(TICK)
    whole = store.peek(charge(each)).limits[0]
    assert (whole.remaining, whole.reset) == (60, 0.0)


def test_a_fixed_window_ends_with_the_clock(store: Store) -> None:
    """The fourth order of a minute, at its 15th second, waits 45 seconds (the example of the policy language)."""
    each = charge(limit())
    for _ in range(3):
        store.charge(each)
        store.wait(5)
    usage = store.charge(each).limits[0]
    assert (usage.retry_after, usage.reset) == (45.0, 45.0)


def test_a_sliding_window_lets_the_last_one_fade(store: Store) -> None:
    """A quarter into the next window three quarters of the last one still count."""
    each = limit(requests=100, algorithm=Algorithm.SLIDING_WINDOW)
    store.charge(charge(each, cost=100))
    store.at(75)
    assert store.peek(charge(each)).limits[0].remaining == 25


def test_a_token_bucket_admits_its_burst_then_its_rate(store: Store) -> None:
    """60 a minute with a burst of 5 admits five at once, then one a second."""
    each = charge(limit(requests=60, burst=5, algorithm=Algorithm.TOKEN_BUCKET))
    assert [store.charge(each).admitted for _ in range(6)] == [True] * 5 + [False]
    for _ in range(3):
        store.wait(1 - TICK)
        assert not store.charge(each).admitted
        store.wait(TICK)
        assert store.charge(each).admitted


def test_all_limits_are_charged_or_none(store: Store) -> None:
    """Where one limit refuses, the other keeps what it had; the usage says which one it was."""
    wide, narrow = limit("orders/wide", requests=10), limit("orders/narrow", requests=2)
    for _ in range(2):
        assert store.charge(charge(wide), charge(narrow)).admitted
    refused = store.charge(charge(wide), charge(narrow))
    assert not refused.admitted
    assert outcomes(refused) == [LimitOutcome.OK, LimitOutcome.OVER]
    assert refused.limits[0].retry_after is None
    assert store.peek(charge(wide)).limits[0].remaining == 8


def test_usage_keeps_the_order_of_the_charges(store: Store) -> None:
    """An answer per charge, in the charges' own order, whatever settled it."""
    asked = [charge(limit(f"orders/{name}")) for name in "abc"]
    free = charge(limit("orders/free"), cost=0)
    usage = store.charge(asked[2], free, asked[0], asked[1])
    assert [each.charge.limit.name for each in usage.limits] == ["orders/c", "orders/free", "orders/a", "orders/b"]


def test_cost_takes_that_many(store: Store) -> None:
    """A cost of 2 of 3 leaves 1, and a second one is refused while a cost of 1 is not."""
    each = limit()
    assert store.charge(charge(each, cost=2)).limits[0].remaining == 1
    assert not store.charge(charge(each, cost=2)).admitted
    assert store.charge(charge(each)).admitted


def test_a_cost_of_nothing_is_free(store: Store) -> None:
    """Cost 0 is admitted even where the limit is used up, and takes nothing."""
    each = limit(requests=1)
    store.charge(charge(each))
    assert store.charge(charge(each, cost=0)).admitted
    assert not store.charge(charge(each)).admitted


@pytest.mark.parametrize(("requests", "cost"), [(0, 1), (3, 4), (3, 2**63), (3, -1), (3, -(2**63))])
def test_what_can_never_fit_is_refused_without_a_time(store: Store, requests: int, cost: int) -> None:
    """R13: a limit of no requests, a cost beyond the limit and a cost below 0 are refused for good."""
    usage = store.charge(charge(limit(requests=requests), cost=cost))
    assert not usage.admitted
    assert outcomes(usage) == [LimitOutcome.OVER]
    assert usage.limits[0].retry_after is None


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_limit_beyond_every_number_admits(store: Store, algorithm: Algorithm) -> None:
    """R13: 2**63 requests in a thousand years neither wrap nor refuse."""
    vast = charge(limit(requests=2**63, period=1000 * 365 * 86_400.0, algorithm=algorithm))
    usage = store.charge(vast)
    assert usage.admitted
    assert usage.limits[0].remaining > 2**52
    assert usage.limits[0].reset >= 0


def test_a_refusal_without_the_store_charges_nothing(store: Store) -> None:
    """All or none holds where one limit needs no store to refuse."""
    each = limit("orders/each")
    usage = store.charge(charge(each), charge(limit("orders/never", requests=0)))
    assert not usage.admitted
    assert [part.charge.limit.name for part in usage.limits] == ["orders/never"]
    assert store.peek(charge(each)).limits[0].remaining == 3


def test_no_charges_are_unlimited(store: Store) -> None:
    """Without a limit there is nothing to say."""
    assert store.charge() == UNLIMITED
    assert store.charge(charge(limit(mode=Mode.OFF, requests=0))) == UNLIMITED


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_shadow_limit_never_refuses(store: Store, algorithm: Algorithm) -> None:
    """A shadow limit admits, says what it would have done, and stands as if it were enforced."""
    watched = limit("orders/watched", requests=2, algorithm=algorithm, mode=Mode.SHADOW)
    enforced = limit("orders/enforced", requests=4, algorithm=algorithm)
    both = charge(watched), charge(enforced)
    said = [store.charge(*both) for _ in range(5)]
    assert [usage.admitted for usage in said] == [True] * 4 + [False]
    assert [usage.limits[0].outcome for usage in said] == [LimitOutcome.OK] * 2 + [LimitOutcome.WOULD_LIMIT] * 3
    assert [usage.limits[1].remaining for usage in said] == [3, 2, 1, 0, 0]
    assert said[2].limits[0].retry_after is None
    enforced_twin = charge(limit("orders/twin", requests=2, algorithm=algorithm))
    for _ in range(4):
        store.charge(enforced_twin)
    for wait in (0, 29, 61):
        store.wait(wait)
        stands = [store.peek(each).limits[0] for each in (both[0], enforced_twin)]
        assert (stands[0].remaining, stands[0].reset) == (stands[1].remaining, stands[1].reset)


def test_a_shadow_limit_is_not_charged_for_what_another_refused(store: Store) -> None:
    """Shadow limits are charged with admitted traffic only."""
    watched, enforced = limit("orders/watched", mode=Mode.SHADOW), limit("orders/enforced", requests=1)
    for _ in range(3):
        store.charge(charge(watched), charge(enforced))
    assert store.peek(charge(watched)).limits[0].remaining == 2


def test_a_shadow_limit_of_nothing_admits(store: Store) -> None:
    """A shadow limit that could never admit says so and lets pass."""
    usage = store.charge(charge(limit(requests=0, mode=Mode.SHADOW)), charge(limit("orders/other")))
    assert usage.admitted
    assert outcomes(usage) == [LimitOutcome.WOULD_LIMIT, LimitOutcome.OK]


def test_a_peek_takes_nothing(store: Store) -> None:
    """A peek tells whether a charge would be admitted, and when, and leaves the count alone."""
    each = charge(limit(requests=1))
    assert [store.peek(each).admitted for _ in range(3)] == [True] * 3
    assert store.peek(each).limits[0].remaining == 1
    store.charge(each)
    looked = store.peek(each)
    assert not looked.admitted
    assert looked.limits[0].outcome is LimitOutcome.OVER
    assert looked.limits[0].retry_after == 60.0


def test_one_counter_charged_twice_takes_the_sum(store: Store) -> None:
    """Two charges of one counter in one request are one charge of both costs."""
    each = limit()
    usage = store.charge(charge(each), charge(each))
    assert len(usage.limits) == 1
    assert usage.limits[0].remaining == 1
    assert not store.charge(charge(each), charge(each)).admitted


def test_keys_count_apart(store: Store) -> None:
    """Another caller, another limit, another algorithm and another period are other counters."""
    one = limit(requests=1)
    assert store.charge(charge(one, "bob")).admitted
    assert store.charge(charge(one, "eve")).admitted
    assert store.charge(charge(limit("orders/other", requests=1), "bob")).admitted
    assert store.charge(charge(limit(requests=1, algorithm=Algorithm.TOKEN_BUCKET), "bob")).admitted
    assert store.charge(charge(limit(requests=1, period=61.0), "bob")).admitted
    assert not store.charge(charge(one, "bob")).admitted


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_changed_value_keeps_the_count(store: Store, algorithm: Algorithm) -> None:
    """Raising a limit admits the difference, lowering it below the count refuses until there is room."""
    store.charge(charge(limit(requests=10, algorithm=algorithm), cost=6))
    assert store.peek(charge(limit(requests=20, algorithm=algorithm))).limits[0].remaining == 14
    lowered = store.charge(charge(limit(requests=4, algorithm=algorithm)))
    assert not lowered.admitted
    retry = lowered.limits[0].retry_after
    assert retry is not None
    store.wait(retry - TICK)
    assert not store.charge(charge(limit(requests=4, algorithm=algorithm))).admitted
    store.wait(TICK)
    assert store.charge(charge(limit(requests=4, algorithm=algorithm))).admitted


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_clock_that_steps_back_a_little_opens_nothing(store: Store, algorithm: Algorithm) -> None:
    """After a failover to a clock half a second behind, a spent limit stays spent."""
    each = charge(limit(requests=2, algorithm=algorithm))
    store.at(60)
    store.charge(each)
    store.charge(each)
    store.at(59.5)
    refused = store.charge(each)
    assert not refused.admitted
    retry = refused.limits[0].retry_after
    assert retry is not None
    store.wait(retry - TICK)
    assert not store.charge(each).admitted
    store.wait(TICK)
    assert store.charge(each).admitted


BERLIN = [  # what is aligned, when (UTC) it is asked, and how many hours later the next window begins
    (Align.DAY, "2026-03-28T22:59:59Z", 1 / 3600),
    (Align.DAY, "2026-03-28T23:00:00Z", 23.0),
    (Align.DAY, "2026-10-24T22:00:00Z", 25.0),
    (Align.DAY, "2026-07-01T10:30:00Z", 11.5),
    (Align.HOUR, "2026-10-25T00:30:00Z", 0.5),
    (Align.HOUR, "2026-10-25T01:00:00Z", 1.0),
    (Align.MONTH, "2026-02-28T22:59:59.5Z", 0.5 / 3600),
    (Align.MONTH, "2026-02-28T23:00:00Z", 31 * 24.0 - 1),
    (Align.MONTH, "2026-09-30T22:00:00Z", 31 * 24.0 + 1),
    (Align.MONTH, "2028-01-31T23:00:00Z", 29 * 24.0),
    (Align.MONTH, "2026-12-31T23:00:00Z", 31 * 24.0),
]


@pytest.mark.parametrize(("align", "when", "hours"), BERLIN)
def test_a_window_of_the_calendar_ends_with_its_piece(store: Store, align: Align, when: str, hours: float) -> None:
    """Days of 23 and 25 hours, months of 28 to 31 days: `reset` and `retry_after` are exact to the microsecond."""
    each = charge(limit(requests=2, align=align, time_zone="Europe/Berlin"))
    store.at(datetime.fromisoformat(when).timestamp() - START)
    assert store.charge(each).limits[0].reset == hours * 3600
    store.charge(each)
    refused = store.charge(each).limits[0]
    assert (refused.outcome, refused.retry_after, refused.reset) == (LimitOutcome.OVER, hours * 3600, hours * 3600)
    store.wait(hours * 3600 - TICK)
    assert store.charge(each).limits[0].retry_after == TICK
    store.wait(TICK)
    assert store.charge(each).limits[0].remaining == 1


def test_calendars_count_apart(store: Store) -> None:
    """Another time zone, another piece of the calendar and none are other counters."""
    zones = [limit(requests=1, period=86_400.0, align=Align.DAY, time_zone=zone) for zone in ("UTC", "Asia/Tokyo")]
    others = [limit(requests=1, period=86_400.0, align=Align.MONTH), limit(requests=1, period=86_400.0)]
    assert all(store.charge(charge(each)).admitted for each in (*zones, *others))
    assert not any(store.charge(charge(each)).admitted for each in (*zones, *others))


def test_a_clock_that_steps_back_over_midnight_opens_nothing(store: Store) -> None:
    """After a failover to a clock half a second behind, the day that has begun goes on."""
    each = charge(limit(requests=1, align=Align.DAY))
    store.at(86_400)
    store.charge(each)
    store.at(86_399.5)
    assert store.charge(each).limits[0].retry_after == 86_400.5


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_clock_that_was_far_ahead_blocks_nobody(store: Store, algorithm: Algorithm) -> None:
    """R4: a day's step back starts the count over instead of refusing for a day."""
    each = charge(limit(requests=1, algorithm=algorithm))
    store.at(86_400)
    store.charge(each)
    store.at(0)
    assert store.charge(each).admitted
    assert not store.charge(each).admitted


def test_on_error_means_nothing_while_the_store_answers(store: Store) -> None:
    """The three values of `on_error` refuse alike when the count is known."""
    for on_error in OnError:
        each = charge(limit(f"orders/{on_error}", requests=1, on_error=on_error))
        assert [store.charge(each).limits[0].outcome for _ in range(2)] == [LimitOutcome.OK, LimitOutcome.OVER]
