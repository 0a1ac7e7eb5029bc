"""A load generator for unary gRPC, fast enough that one core of client outruns any server here.

    python tests/bench/load.py 127.0.0.1:9191 --payload check.bin --in-flight 64 --seconds 5
    python tests/bench/load.py unix:///run/authz/authz.sock --payload check.bin --rate 5000 --seconds 10

Closed loop (no rate): as many calls in flight as asked for, a new one as soon as one is answered. Open loop (a rate):
a call is due every 1/rate seconds whatever the server does, and its latency counts from when it was due, not from when
it could be sent, so a server that stalls is charged for every call it kept waiting. Knows nothing of Envoy or of
policies: payloads are bytes, and what is wrong with one is the caller's choice.
"""

from __future__ import annotations

import argparse
import math
import random
import select
import sys
import time
from contextlib import ExitStack, closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from headers import encode_headers
from http2 import Connection, ConnectionLostError, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Self

CHECK = "/envoy.service.auth.v3.Authorization/Check"
GRACE = 5.0  # seconds without any progress after which what is in flight counts as unanswered
TURN = 0.1  # seconds after which the loop looks at the clock even if nothing came


class Cancel(StrEnum):
    """When a call is given up: before its message, right behind it, or while the server works on it."""

    BEFORE_MESSAGE = "before_message"
    BEHIND_MESSAGE = "behind_message"
    LATER = "later"


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How fast: times are seconds, percentiles are over all answered calls; NaN where there was nothing."""

    calls: int
    seconds: float
    rate: float
    p50: float
    p99: float
    p999: float
    maximum: float

    @classmethod
    def of(cls, latencies: Iterable[float], seconds: float, **rest: object) -> Self:
        """Return the timing of these latencies; `rest` are the fields that a subclass adds."""
        ordered = sorted(latencies)
        return cls(
            calls=len(ordered),
            seconds=seconds,
            rate=len(ordered) / seconds if seconds else math.nan,
            p50=percentile(ordered, 0.5),
            p99=percentile(ordered, 0.99),
            p999=percentile(ordered, 0.999),
            maximum=percentile(ordered, 1.0),
            **rest,
        )


class Measurement(Timing, frozen=True, kw_only=True):
    """What a run of gRPC calls saw.

    `errors` counts what came instead of an OK status: `status N`, a gRPC status; `reset N`, a stream that the server
    reset; `unanswered`, nothing within `GRACE`. `cancelled` calls are neither answered nor errors.
    """

    errors: Mapping[str, int]
    cancelled: int


def run(
    target: str,
    payloads: Sequence[bytes],
    *,
    seconds: float | None = None,
    calls: int | None = None,
    rate: float | None = None,
    in_flight: int = 64,
    connections: int = 1,
    warm_up: float = 0.0,
    method: str = CHECK,
    metadata: Mapping[str, str] | None = None,
    timeout: str | None = None,
    cancel_share: float = 0.0,
    answered: Callable[[int, int, bytes], None] | None = None,
    enough: Callable[[], bool] = lambda: False,
    seed: int = 0,
) -> Measurement:
    """Call `method` of the server at `target` (`host:port`, `unix:PATH`) for `seconds` or `calls`, and measure it.

    `payloads` are serialized messages, sent in turn on each connection. `rate` (calls per second) makes the loop an
    open one, in which `in_flight` is still the upper bound. `warm_up` seconds before are not measured. `timeout` is the
    text of a `grpc-timeout` header (`200m`). A `cancel_share` of the calls (0 to 1) is given up at a random moment of
    `Cancel`. `answered(index of the payload, gRPC status, message)` sees every answer; once `enough()`, no call begins.
    Raises ConnectionLostError.
    """
    if seconds is None and calls is None:
        raise ValueError("seconds or calls: one must say when to stop")
    fields = dict(metadata or {}) | ({"grpc-timeout": timeout} if timeout else {})
    headers = encode_headers(method, "load" if target.startswith("unix:") else target, fields)
    with ExitStack() as stack:
        opened = [
            stack.enter_context(closing(Connection(target, headers, payloads, answered))) for _ in range(connections)
        ]
        driver = _Driver(opened, math.ceil(in_flight / connections), cancel_share, random.Random(seed))
        if warm_up:
            driver.drive(_Schedule(rate, warm_up, None))
        return driver.drive(_Schedule(rate, seconds, calls, enough))


class _Schedule:
    """When calls are due: at once in a closed loop, at fixed times in an open one."""

    def __init__(
        self, rate: float | None, seconds: float | None, calls: int | None, enough: Callable[[], bool] = lambda: False
    ) -> None:
        self._enough = enough
        self.begun = time.perf_counter()
        self._end = math.inf if seconds is None else self.begun + seconds
        self._calls = math.inf if calls is None else calls
        self._interval = 1 / rate if rate else None
        self._taken = 0

    def take(self, now: float) -> float | None:
        """Return when the next call was due, or None if none is due yet or any more."""
        due = self.next(now)
        if due is None or due > now:
            return None
        self._taken += 1
        return due

    def next(self, now: float) -> float | None:
        """Return when the next call is due, `now` in a closed loop; None after the last."""
        due = now if self._interval is None else self.begun + self._taken * self._interval
        return due if due < self._end and self._taken < self._calls and not self._enough() else None


class _Driver:
    """The loop: begin the calls that are due, write, wait, read."""

    def __init__(self, connections: Sequence[Connection], share: int, cancel_share: float, dice: random.Random) -> None:
        self._connections = connections
        self._share = share
        self._cancel_share = cancel_share
        self._dice = dice
        self._later: list[tuple[Connection, int]] = []

    def drive(self, schedule: _Schedule) -> Measurement:
        """Make every call that the schedule wants, and wait for the answers."""
        tally = Tally()
        for connection in self._connections:
            connection.tally = tally
        now = progress = schedule.begun
        while self._busy() or schedule.next(now) is not None:
            answers = len(tally.latencies)
            began = self._begin(schedule, now)
            self._exchange(schedule.next(now), now)
            now = time.perf_counter()
            if began or len(tally.latencies) > answers:
                progress = now
            elif self._busy() and now > progress + GRACE:
                for connection in self._connections:
                    connection.abandon()
        return Measurement.of(
            tally.latencies, now - schedule.begun, errors=dict(tally.errors), cancelled=tally.cancelled
        )

    def _busy(self) -> bool:
        return any(connection.started for connection in self._connections)

    def _begin(self, schedule: _Schedule, now: float) -> bool:
        """Make the calls that are due, as far as there is room; whether there was any."""
        for connection, stream in self._later:
            connection.cancel(stream)
        self._later.clear()
        began = False
        while (connection := self._freest()) is not None and (due := schedule.take(now)) is not None:
            if self._cancel_share and self._dice.random() < self._cancel_share:
                self._call_and_cancel(connection, due)
            else:
                connection.call(due)
            began = True
        return began

    def _freest(self) -> Connection | None:
        connection = min(self._connections, key=_load)
        return connection if len(connection.started) < min(self._share, connection.concurrent) else None

    def _call_and_cancel(self, connection: Connection, due: float) -> None:
        moment = self._dice.choice(tuple(Cancel))
        stream = connection.announce(due) if moment is Cancel.BEFORE_MESSAGE else connection.call(due)
        if moment is Cancel.LATER:
            self._later.append((connection, stream))
        else:
            connection.cancel(stream)

    def _exchange(self, upcoming: float | None, now: float) -> None:
        """Write, then wait until something comes or the next call is due, and read it."""
        for connection in self._connections:
            connection.flush()
        patience = TURN
        if self._later:
            patience = 0.0
        elif upcoming is not None and self._freest() is not None:
            patience = min(TURN, max(0.0, upcoming - now))
        stuffed = [connection for connection in self._connections if connection.unsent]
        readable, _, _ = select.select(self._connections, stuffed, [], patience)
        now = time.perf_counter()
        for connection in readable:
            connection.receive(now)


def _load(connection: Connection) -> int:
    return len(connection.started)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value that `share` of the sorted values do not exceed (nearest rank); NaN of none."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one load from the command line and print the measurement as JSON; 1 if anything was not OK."""
    parser = argparse.ArgumentParser(description="Load a gRPC server with unary calls.")
    parser.add_argument("target", help="host:port or unix:PATH")
    parser.add_argument("--payload", type=Path, action="append", help="file with a serialized message; repeatable")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--calls", type=int, help="stop after so many calls, if that is sooner")
    parser.add_argument("--rate", type=float, help="calls per second: an open loop")
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--warm-up", type=float, default=0.5, help="seconds that are not measured")
    parser.add_argument("--method", default=CHECK)
    parser.add_argument("--timeout", help="the text of a grpc-timeout header, as in 200m")
    parser.add_argument("--cancel-share", type=float, default=0.0, help="share of the calls to cancel, 0 to 1")
    parser.add_argument("--seed", type=int, default=0)
    options = vars(parser.parse_args(arguments))
    files = options.pop("payload") or ()
    try:
        measured = run(options.pop("target"), [file.read_bytes() for file in files] or [b""], **options)
    except (ConnectionLostError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(msgspec.json.format(msgspec.json.encode(measured)).decode())
    return 1 if measured.errors else 0


if __name__ == "__main__":
    sys.exit(main())
