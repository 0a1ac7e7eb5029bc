"""Limits counted in Redis, for every process that shares it: one script call for all limits of a request.

Exact: with Redis there, nobody over the limit is admitted and nobody under it refused, whatever comes at once, and
`remaining`, `reset` and `retry_after` are what the server's own clock says. With Redis slow or gone, no caller waits
past its deadline or `budget`, and each limit's `on_error` answers. A charge whose reply is lost may have been counted:
an outage can refuse too much, never admit too much, except for what `on_error` itself admits, and for what a
failover loses of unreplicated writes.

Needs Redis 6.2 or Valkey with `maxmemory-policy noeviction` (an evicted counter begins anew), and of its commands
evalsha, script|load, mget, set and time, on `authz:*`; in a cluster also cluster|slots.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Protocol

from authz.limits.address import Access, connector, redacted
from authz.limits.asks import Answer
from authz.limits.batch import Waiting
from authz.limits.busiest import Busiest
from authz.limits.cluster import Cluster
from authz.limits.counters import LimiterCounters
from authz.limits.degraded import fall_back
from authz.limits.denials import Denials
from authz.limits.leases import Leases
from authz.limits.local import LocalShare
from authz.limits.options import RedisOptions
from authz.limits.pipeline import Pipeline
from authz.limits.plan import Plan, Planner, conclude
from authz.model import Charge, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from authz.limits.breaker import BreakerState
    from authz.limits.connection import Link

LOG = logging.getLogger(__name__)

SCRIPT = files("authz.limits").joinpath("script.lua").read_text(encoding="utf-8")
SERVER_CLOCK = "local clock = redis.call('TIME')\nlocal now = clock[1] * 1000000 + clock[2]\n"
"""The lines before the script: the server's own clock. Another clock is for tests of the arithmetic only."""


class Backend(Protocol):
    """Whom the limiter asks: one server, or a cluster of them."""

    @property
    def connected(self) -> bool:
        """Whether it can be asked."""

    @property
    def breaker(self) -> BreakerState:
        """Whether it is asked."""

    @property
    def last_error(self) -> str | None:
        """What went wrong last, without any secret."""

    def start(self) -> None:
        """Begin to connect."""

    def close(self) -> None:
        """Tell whoever waits `None` and disconnect."""

    def submit(self, caller: Waiting) -> bool:
        """Take a caller, who is told once; or do not, at once."""


class RedisLimiter:
    """A store in Redis. `secret` keys the hashes in the keys; `password_file` is read anew at every connect.

    `wall` says in seconds of the epoch which windows of a calendar to tell the script of; its clock counts.
    """

    def __init__(
        self,
        url: str,
        options: RedisOptions = RedisOptions(),  # noqa: B008 - frozen
        *,
        secret: bytes = b"",
        password_file: Path | None = None,
        clock: str = SERVER_CLOCK,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.counters = LimiterCounters()
        self._url = redacted(url)
        self._budget = options.budget
        self._planner = Planner(secret, wall)
        self._local = LocalShare(options.processes)
        self._denials = Denials(options.max_denials)
        self._busiest = Busiest()
        self._hears = self._heard  # bound once
        access = Access(timeout=options.connect_timeout, password_file=password_file)
        pipeline = partial(_pipeline, clock + SCRIPT, options, self.counters)
        clustered = url.startswith("redis+cluster://")
        self._backend: Backend = Cluster(url, access, pipeline) if clustered else pipeline(connector(url, access))
        self.leases = Leases(self._backend.submit, self._local.saw, options.budget, options.processes)

    def start(self) -> None:
        """Start the limiter thread and begin to connect; nothing waits for it."""
        self._backend.start()

    def close(self) -> None:
        """Give back what is leased, answer whoever waits by `on_error` and disconnect."""
        self.leases.close()
        self._backend.close()

    def status(self) -> dict[str, object]:
        """Return what `/status` shows; no secret is in it."""
        return {
            "store": "redis",
            "url": self._url,
            "connected": self._backend.connected,
            "breaker": self._backend.breaker.value,
            "last_error": self._backend.last_error,
            "busiest": self._busiest.status(),
        }

    def charge(self, charges: Sequence[Charge], deadline: float, done: Callable[[Usage], None]) -> None:
        """Charge all or none; `done` is called once, here or from the limiter thread, by `deadline` at the latest."""
        self._ask(charges, 1, deadline, done)

    def peek(self, charges: Sequence[Charge], deadline: float, done: Callable[[Usage], None]) -> None:
        """Say what a charge would be answered, and charge nothing."""
        self._ask(charges, 0, deadline, done)

    def _ask(self, charges: Sequence[Charge], count: int, deadline: float, done: Callable[[Usage], None]) -> None:
        plan = self._planner.plan(charges)
        if isinstance(plan, Usage):
            done(plan)
            return
        self._busiest.saw(plan)
        now = time.monotonic()
        if self._planner.leases:
            held = self.leases.hold(plan, count, now)
            if held is not None and held.whole is not None:
                done(held.whole)
                return
            if held is not None:
                plan, done = held.rest, partial(held.joined, done)
        refusal = self._denials.refusal(plan, now)
        if refusal is not None:
            self.counters.denied_from_cache += 1
            done(refusal)
            return
        caller = Waiting(plan, count, min(deadline, now + self._budget), self._hears, done)
        if not self._backend.submit(caller):
            done(self._degraded(plan, count))

    def _heard(self, caller: Waiting, answer: Answer | None, rank: int, sent_at: float) -> None:
        usage = self._usage(caller, answer, rank, sent_at)
        try:
            caller.done(usage)
        except Exception:
            LOG.exception("a caller failed on its usage")

    def _usage(self, caller: Waiting, answer: Answer | None, rank: int, sent_at: float) -> Usage:
        try:
            if answer is not None:
                return self._concluded(caller.plan, answer, rank, sent_at)
            return self._degraded(caller.plan, caller.count)
        except Exception:
            LOG.exception("an answer could not be read")
            return fall_back(caller.plan, caller.count, None)

    def _concluded(self, plan: Plan, answer: Answer, rank: int, sent_at: float) -> Usage:
        usage = conclude(plan, answer, rank)
        self._local.saw(plan, usage)
        if self._planner.leases:
            self.leases.learn(plan, usage, sent_at)
        if not usage.admitted:
            self._denials.learn(plan, usage, sent_at)
        return usage

    def _degraded(self, plan: Plan, count: int) -> Usage:
        self.counters.degraded += 1
        return fall_back(plan, count, self._local)


def _pipeline(
    script: str,
    options: RedisOptions,
    counters: LimiterCounters,
    connect: Callable[[], Link],
    moved: Callable[[str, list[Waiting]], bool] = lambda _where, _callers: False,
) -> Pipeline:
    return Pipeline(
        connect=connect,
        script=script,
        budget=options.budget,
        max_waiting=options.max_waiting,
        counters=counters,
        moved=moved,
    )
