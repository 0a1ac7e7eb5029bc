"""The arithmetic: its bounds, its times, and that the script is its twin."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authz.limits.algorithms import State, meter, tally
from authz.model import Algorithm, Align, Limit, Mode
from tests.limits.conftest import START, Store, charge, held_redis, limit, memory_store

if TYPE_CHECKING:
    import redis

SECOND = 1_000_000
MOMENTS = st.lists(st.integers(0, 20 * SECOND), min_size=1, max_size=120)
"""Microseconds between one request and the next."""


def admitted_at(of: Limit, waits: list[int], costs: list[int] | None = None) -> list[tuple[int, int]]:
    """Return when each admitted request came and what it cost, through one counter."""
    counting = meter(of)
    state: State | None = None
    now, admitted = START * SECOND, []
    for wait, cost in zip(waits, costs or itertools.repeat(1), strict=False):
        now += wait
        taken, _, (state,) = tally([(counting, cost, state)], 1, float(now))
        if taken:
            admitted.append((now, cost))
    return admitted


@given(waits=MOMENTS, requests=st.integers(1, 20), burst=st.integers(1, 20), period=st.sampled_from([1.0, 7.0, 60.0]))
def test_a_token_bucket_keeps_its_bound_in_every_interval(
    waits: list[int], requests: int, burst: int, period: float
) -> None:
    """At most `burst + rate * t` in any interval of any length, exactly: no rounding lets one more through."""
    admitted = admitted_at(
        Limit(name="a/b", requests=requests, period=period, burst=burst, algorithm=Algorithm.TOKEN_BUCKET), waits
    )
    times = [now for now, _ in admitted]
    for first, begin in enumerate(times):
        for last in range(first, len(times)):
            seen = last - first + 1
            assert (seen - burst) * int(period * SECOND) <= requests * (times[last] - begin)


@given(waits=MOMENTS, requests=st.integers(1, 20), algorithm=st.sampled_from(["fixed-window", "sliding-window"]))
def test_a_window_of_the_clock_holds_at_most_the_limit(waits: list[int], requests: int, algorithm: str) -> None:
    """Between two ticks of the window at most `requests`, for both window algorithms."""
    of = Limit(name="a/b", requests=requests, period=10.0, algorithm=Algorithm(algorithm))
    windows = [now // (10 * SECOND) for now, _ in admitted_at(of, waits)]
    assert all(windows.count(window) <= requests for window in set(windows))


@given(waits=MOMENTS, requests=st.integers(1, 20))
def test_a_sliding_window_stays_under_twice_its_limit(waits: list[int], requests: int) -> None:
    """In any rolling period less than twice `requests`, as the docs say; a limit of one is exact."""
    times = [now for now, _ in admitted_at(Limit(name="a/b", requests=requests, period=10.0), waits)]
    for begin in times:
        seen = sum(begin <= now < begin + 10 * SECOND for now in times)
        assert seen <= max(1, 2 * requests - 1)


def test_a_sliding_window_can_nearly_reach_twice_its_limit() -> None:
    """The stated weakness is real: all at a window's end, then as fast as the old ones fade."""
    waits = [10 * SECOND - 1, *([0] * 99), *([SECOND // 20] * 198)]
    times = [now for now, _ in admitted_at(Limit(name="a/b", requests=100, period=10.0), waits)]
    begin = times[0]
    assert 190 <= sum(begin <= now < begin + 10 * SECOND for now in times) < 200


LIMITS = st.builds(
    Limit,
    name=st.sampled_from(["doc/a", "doc/b", "doc/c"]),
    requests=st.integers(1, 12),
    period=st.sampled_from([10.0, 60.0, 90.5, 3600.0, 86_400.0]),
    algorithm=st.sampled_from(list(Algorithm)),
    burst=st.one_of(st.none(), st.integers(1, 12)),
    mode=st.sampled_from([Mode.ENFORCE, Mode.ENFORCE, Mode.SHADOW]),
) | st.builds(
    Limit,
    name=st.sampled_from(["doc/a", "doc/b"]),
    requests=st.integers(1, 12),
    period=st.just(86_400.0),
    algorithm=st.just(Algorithm.FIXED_WINDOW),
    align=st.sampled_from(list(Align)),
    time_zone=st.sampled_from(["UTC", "Asia/Kathmandu", "America/St_Johns"]),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 999_999, 2 * SECOND, 59 * SECOND + 1, 3600 * SECOND, -SECOND, -700 * SECOND]),
        st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["bob", "eve"]), st.integers(0, 5)), max_size=3),
        st.booleans(),
    ),
    min_size=1,
    max_size=25,
)


@pytest.fixture(scope="module")
def twins(valkey: str) -> object:
    """Keep one limiter and one client for all histories."""
    import redis as client  # noqa: PLC0415 - a fixture's own

    with client.Redis.from_url(valkey) as plain, held_redis(valkey, plain) as store:
        yield store, plain


@settings(max_examples=300)
@given(limits=st.lists(LIMITS, min_size=3, max_size=3), steps=STEPS)
def test_memory_and_redis_are_twins(
    twins: tuple[Store, redis.Redis], limits: list[Limit], steps: list[tuple[int, list, bool]]
) -> None:
    """Any history of charges, peeks and clock steps gets the same answers, to the microsecond, from both stores."""
    remote, plain = twins
    plain.flushdb()
    remote.at(0)
    local = memory_store()
    for wait, charges, look in steps:
        wanted = [charge(limits[which], key, cost=cost) for which, key, cost in charges]
        for store in (remote, local):
            store.wait(wait / SECOND)
        said = [store.peek(*wanted) if look else store.charge(*wanted) for store in (local, remote)]
        assert said[0] == said[1]


def test_the_twin_of_a_merged_call_is_one_after_the_other() -> None:
    """`n` at once leave what `n` in a row leave."""
    for algorithm in Algorithm:
        counting = meter(limit(requests=7, algorithm=algorithm))
        now = float(START * SECOND + 5)
        together, _, (once,) = tally([(counting, 2, None)], 5, now)
        state: State | None = None
        alone = 0
        for _ in range(5):
            taken, _, (state,) = tally([(counting, 2, state)], 1, now)
            alone += taken
        assert together == alone == 3
        assert once == state
