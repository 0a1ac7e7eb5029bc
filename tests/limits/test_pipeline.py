"""The limiter thread against a server that misbehaves in every way it can be told to."""

from __future__ import annotations

import socketserver
import threading
import time
from typing import TYPE_CHECKING

import pytest

from authz.limits.connection import DROPS
from authz.limits.options import RedisOptions
from authz.limits.redis import RedisLimiter
from authz.model import LimitOutcome, Usage
from tests.limits.conftest import answer, charge, eventually, limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EACH = charge(limit("pipe/each", requests=10_000))
FINE = b"*5\r\n:1\r\n:10000\r\n:9999\r\n:60000000\r\n:0\r\n"


class Server(socketserver.ThreadingTCPServer):
    """Speaks as much RESP as a login takes; what it says to a script call is up to the test."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.say: Callable[[], bytes | None] = lambda: FINE
        self.scripts = 0
        self.sessions = 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.server_address[1]}"


class Session(socketserver.StreamRequestHandler):
    """Reads commands and answers them one by one."""

    server: Server

    def handle(self) -> None:
        self.server.sessions += 1
        while (command := self.command()) is not None:
            if command[0] == b"EVALSHA":
                self.server.scripts += 1
                reply = self.server.say()
                if reply is None:
                    return
                self.wfile.write(reply)
            else:
                self.wfile.write(b"+OK\r\n")

    def command(self) -> list[bytes] | None:
        try:
            head = self.rfile.readline()
            if not head:
                return None
            parts = []
            for _ in range(int(head[1:])):
                size = int(self.rfile.readline()[1:])
                parts.append(self.rfile.read(size))
                self.rfile.read(2)
        except (OSError, ValueError):
            return None
        return parts


@pytest.fixture
def misbehaving() -> Iterator[Server]:
    """Run such a server."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def limiter(misbehaving: Server) -> Iterator[RedisLimiter]:
    """Run a limiter connected to it."""
    own = RedisLimiter(misbehaving.url, RedisOptions(budget=0.2))
    own.start()
    eventually(lambda: own.status()["connected"] is True)
    yield own
    own.close()


def said(limiter: RedisLimiter) -> LimitOutcome:
    """Charge and return the outcome."""
    return answer(limiter.charge, [EACH]).limits[0].outcome


@pytest.mark.parametrize("code", sorted({*DROPS, "OOM", "BUSY", "MISCONF", "NOPERM", "WRONGTYPE", "MOVED", "ERR"}))
def test_each_error_is_answered_by_on_error_and_counted(misbehaving: Server, limiter: RedisLimiter, code: str) -> None:
    """R7: every class is its own count, gives the connection up or keeps it as written, and heals."""
    misbehaving.say = f"-{code} whatever the server says\r\n".encode
    assert said(limiter) is LimitOutcome.DEGRADED_ALLOW
    assert limiter.counters.errors[code] == 1
    misbehaving.say = lambda: FINE
    eventually(lambda: said(limiter) is LimitOutcome.OK)
    assert (limiter.counters.connects > 1) == (code in DROPS)


def test_a_script_that_never_stays_is_a_failure(misbehaving: Server, limiter: RedisLimiter) -> None:
    """R5: NOSCRIPT after the reload is answered by `on_error`, not tried for ever."""
    misbehaving.say = lambda: b"-NOSCRIPT No matching script\r\n"
    assert said(limiter) is LimitOutcome.DEGRADED_ALLOW
    assert misbehaving.scripts == 2
    assert limiter.counters.errors == {"NOSCRIPT": 1}


@pytest.mark.parametrize(
    "reply", [b"+OK\r\n", b":1\r\n", b"*1\r\n:1\r\n", b"*0\r\n", b"$-1\r\n", b"*5\r\n+a\r\n+b\r\n+c\r\n+d\r\n+e\r\n"]
)
def test_a_reply_that_is_no_answer_admits_nobody(misbehaving: Server, limiter: RedisLimiter, reply: bytes) -> None:
    """What the script cannot have said is an error, never an allow of Redis' own."""
    misbehaving.say = lambda: reply
    assert said(limiter) is LimitOutcome.DEGRADED_ALLOW
    assert limiter.counters.errors["ERR"] == 1


@pytest.mark.parametrize("reply", [None, b"", b"*5\r\n:1\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_silence_half_replies_and_hang_ups_are_survived(
    misbehaving: Server, limiter: RedisLimiter, reply: bytes | None
) -> None:
    """A closed, mute or babbling server is left within the budget and found again."""
    misbehaving.say = lambda: reply
    begun = time.monotonic()
    assert said(limiter) is LimitOutcome.DEGRADED_ALLOW
    assert time.monotonic() - begun < 0.2 + 0.5
    misbehaving.say = lambda: FINE
    eventually(lambda: said(limiter) is LimitOutcome.OK)


def test_a_late_reply_dies_with_its_connection(misbehaving: Server, limiter: RedisLimiter) -> None:
    """R3: the reply to a check that timed out is never read as the reply to the next."""
    late = threading.Event()

    def too_late() -> bytes:
        late.wait(5)
        return b"*5\r\n:1\r\n:667\r\n:666\r\n:1\r\n:0\r\n"

    misbehaving.say = too_late
    assert said(limiter) is LimitOutcome.DEGRADED_ALLOW
    misbehaving.say = lambda: FINE
    late.set()
    remaining = []
    eventually(
        lambda: remaining.append(answer(limiter.charge, [EACH]).limits[0]) or remaining[-1].outcome is LimitOutcome.OK
    )
    assert {each.remaining for each in remaining if each.outcome is LimitOutcome.OK} == {9999}


def test_a_broken_server_is_not_stormed(misbehaving: Server, limiter: RedisLimiter) -> None:
    """A server that hangs up on every call is dialled a few times a second, whatever the traffic."""
    misbehaving.say = lambda: None
    end = time.monotonic() + 1.0
    checks = 0
    while time.monotonic() < end:
        said(limiter)
        checks += 1
    assert checks > 100
    assert misbehaving.sessions < 20


def half_open(server: Server, limiter: RedisLimiter) -> None:
    """Have the server hang up until nobody asks it, and be there again when the next caller may."""
    server.say = lambda: None
    eventually(lambda: said(limiter) and limiter.status()["breaker"] == "open")
    server.say = lambda: FINE
    eventually(lambda: limiter.status()["breaker"] == "half_open")


def test_a_probe_whose_time_is_over_is_not_the_last(misbehaving: Server, limiter: RedisLimiter) -> None:
    """R1: the one caller that may ask after an outage comes too late to; the next one asks, and limits count again."""
    half_open(misbehaving, limiter)
    late = answer(lambda charges, _, done: limiter.charge(charges, time.monotonic() - 1, done), [EACH])
    assert late.limits[0].outcome is LimitOutcome.DEGRADED_ALLOW
    eventually(lambda: said(limiter) is LimitOutcome.OK)


def test_a_probe_that_meets_another_clock_is_not_the_last(misbehaving: Server, limiter: RedisLimiter) -> None:
    """R1, R12: after an outage the server does not count by our clock; once it does, limits count again."""
    half_open(misbehaving, limiter)
    misbehaving.say = lambda: b"-CLOCK the clocks differ\r\n"
    assert said(limiter) is LimitOutcome.DEGRADED_ALLOW
    misbehaving.say = lambda: FINE
    eventually(lambda: said(limiter) is LimitOutcome.OK)


def test_every_caller_is_told_once_under_random_failures(misbehaving: Server, limiter: RedisLimiter) -> None:
    """Whatever happens to the batches, each `done` is called exactly once."""
    moods = iter([FINE, None, b"-OOM x\r\n", FINE, b"-READONLY x\r\n", FINE, b"*1\r\n:1\r\n", FINE] * 5000)
    misbehaving.say = lambda: next(moods)
    told = [0] * 2000
    everybody = threading.Semaphore(0)
    for number in range(2000):

        def done(_: Usage, number: int = number) -> None:
            told[number] += 1
            everybody.release()

        limiter.charge([charge(EACH.limit, str(number))], time.monotonic() + 5, done)
        if number % 100 == 0:
            eventually(lambda: limiter.status()["breaker"] != "open")
    for _ in range(2000):
        assert everybody.acquire(timeout=5)
    assert told == [1] * 2000
