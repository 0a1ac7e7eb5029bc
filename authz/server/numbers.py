"""Numbers that the parts of a process keep for themselves, given their names on the metrics page (INTERFACE.md, 6)."""

from __future__ import annotations

import time
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import HistogramMetricFamily

from authz.limits.memory import MemoryLimiter
from authz.server.comparing import Comparison

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from authz.audit import Recorder
    from authz.identity.api_keys import KeyUses
    from authz.identity.registry import KeyRegistry
    from authz.limits.counters import Histogram, LimiterCounters
    from authz.limits.redis import RedisLimiter
    from authz.server.aging import Aging
    from authz.server.candidate import Candidate
    from authz.server.events import PolicyEvents
    from authz.server.geoip import GeoIp
    from authz.server.logs import FaultLog
    from authz.store import PolicyStore
    from authz.telemetry import Metrics
    from authz.telemetry.otlp import Exporter
    from authz.transport import Server


def show_policies(metrics: Metrics, store: PolicyStore, events: PolicyEvents, aging: Aging | None = None) -> None:
    """Show what is in force, since when, and what came of looking for changes."""
    metrics.read(
        "authz_policy_generation",
        "Policies in force: one more for every change, 0 while there are none.",
        lambda: {(): store.current.generation if store.current else 0},
    )
    metrics.read(
        "authz_policy_age_seconds",
        "Seconds since the policies in force were loaded.",
        lambda: {(): time.time() - store.current.loaded_at} if store.current else {},
    )
    metrics.read(
        "authz_policy_confirmed_age_seconds",
        "Seconds since the folders were last seen to hold the policies in force.",
        lambda: {} if store.age is None else {(): store.age},
    )
    metrics.read(
        "authz_policy_expired",
        "1 while the policies in force are older than they may be (reload.max_age).",
        lambda: {(): aging is not None and aging.expired},
    )
    metrics.read(
        "authz_policy_reload_failing",
        "1 while what the folders hold can't be served and older policies stay in force.",
        lambda: {(): bool(store.faults)},
    )
    metrics.read(
        "authz_policy_reloads_total", "Changes seen, by what came of them.", lambda: events.reloads, ["result"]
    )


def show_callers(metrics: Metrics, geoip: GeoIp, unread: Counter[tuple[()]]) -> None:
    """Show for how many checks proxies named no caller, and of when the files are that say where callers are."""
    metrics.read(
        "authz_client_unreadable_total",
        "Checks whose x-forwarded-for could not be read as far as it is trusted: the peer was taken for the caller.",
        lambda: {(): unread[()]},
    )
    metrics.read(
        "authz_geoip_built_timestamp_seconds", "When a GeoIP file that is in use was built.", geoip.built, ["file"]
    )


def show_server(metrics: Metrics, server: Server, faults: FaultLog) -> None:
    """Show what is under way, which transport serves, and what went wrong in us."""
    metrics.read("authz_inflight", "Checks that are not answered yet.", lambda: {(): server.in_flight})
    metrics.read("authz_faults_total", "Checks denied because of a fault of ours.", lambda: {(): faults.count})
    metrics.read(
        "authz_transport",
        "The gRPC transport that serves; fallback says whether another was wanted.",
        lambda: {(str(server.transport), str(server.fallback_reason is not None).lower()): 1},
        ["transport", "fallback"],
    )


def show_limiter(metrics: Metrics, limiter: MemoryLimiter | RedisLimiter) -> None:
    """Show how the limiter's store is, and what asking it costs."""
    about = "1 while limits are answered by their on_error."
    if isinstance(limiter, MemoryLimiter):
        metrics.read("authz_limiter_degraded", about, lambda: {(): 0})
        metrics.read("authz_limiter_degraded_checks_total", _DEGRADED, lambda: {(): limiter.degraded})
        _show_redis(metrics, None)
        return
    metrics.read("authz_limiter_degraded", about, lambda: {(): not _well(limiter.status())})
    metrics.read("authz_limiter_degraded_checks_total", _DEGRADED, lambda: {(): limiter.counters.degraded})
    _show_redis(metrics, limiter)


def _show_redis(metrics: Metrics, redis: RedisLimiter | None) -> None:
    """Show how Redis is; where there is none, the names without a number: one that is down is another thing."""
    metrics.read(
        "authz_redis_up",
        "1 while Redis is connected; no number where there is none.",
        lambda: {} if redis is None else {(): bool(redis.status()["connected"])},
    )
    metrics.read(
        "authz_limits_leased",
        "Requests that were charged in Redis ahead and are not spent yet.",
        lambda: {} if redis is None else {(limit,): left for limit, left in redis.leases.outstanding().items()},
        ["limit"],
    )
    metrics.read(
        "authz_limits_lease_hits_total",
        "Charges that were spent from what was charged ahead, without asking Redis.",
        lambda: {} if redis is None else {(limit,): count for limit, count in redis.leases.hits().items()},
        ["limit"],
    )
    metrics.registry.register(_Histograms(redis.counters if redis else None))


_DEGRADED = "Checks whose limits were answered by on_error."


def _well(status: Mapping[str, object]) -> bool:
    return bool(status["connected"]) and status["breaker"] == "closed"


class _Histograms:
    """What Redis takes and how many checks travel together, read when somebody looks."""

    def __init__(self, counters: LimiterCounters | None) -> None:
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        """Give the numbers their names; called by the registry."""
        counted = self._counters
        took, together = (counted.round_trip_seconds, counted.batch_size) if counted else (None, None)
        yield _histogram("authz_redis_round_trip_seconds", "From the call to its answer.", took)
        yield _histogram("authz_redis_batch_size", "Checks that asked Redis together.", together)


def _histogram(name: str, about: str, histogram: Histogram | None) -> Metric:
    family = HistogramMetricFamily(name, about)
    if histogram is not None:
        bounds = [*map(str, histogram.bounds), "+Inf"]
        family.add_metric((), list(zip(bounds, accumulate(histogram.counts), strict=True)), histogram.total)
    return family


def show_identity(metrics: Metrics, keys: KeyRegistry, uses: KeyUses) -> None:
    """Show how old the keys of each provider are, and when each API key was last presented."""
    metrics.read(
        "authz_jwks_age_seconds",
        "Seconds since the provider's keys were last fetched.",
        lambda: {(name,): age for name, age in keys.ages().items() if age is not None},
        ["provider"],
    )
    metrics.read(
        "authz_jwks_failing",
        "1 while the provider's keys can't be fetched and older ones, or none, are used.",
        lambda: {(name,): one.failing for name, one in keys.followed().items()},
        ["provider"],
    )
    metrics.read(
        "authz_api_key_used_timestamp_seconds",
        "When an API key was last presented and good, by its id.",
        uses.seen,
        ["provider", "key"],
    )


def show_candidate(metrics: Metrics, candidate: Candidate | None) -> None:
    """Show how often a candidate would have said something else."""
    if candidate is None:
        return
    metrics.read(
        "authz_candidate_total",
        "Requests that a candidate was compared on, by what came of it.",
        lambda: {(outcome.value,): candidate.counts[outcome,] for outcome in Comparison},
        ["outcome"],
    )
    metrics.read(
        "authz_candidate_failing",
        "1 while what the candidate's folders hold can't be compared.",
        lambda: {(): candidate.failing},
    )


def show_recorder(metrics: Metrics, recorder: Recorder) -> None:
    """Show whether every decision is on record."""
    metrics.read("authz_audit_dropped_total", "Records that were not written.", lambda: {(): recorder.dropped})
    metrics.read("authz_audit_written_total", "Records that were written.", lambda: {(): recorder.written})


def show_exporter(metrics: Metrics, exporter: Exporter) -> None:
    """Show whether the collector gets what is sent to it."""
    metrics.read("authz_spans_dropped_total", "Spans that were not sent.", lambda: {(): exporter.spans.dropped})
    metrics.read("authz_otlp_failures_total", "Sendings that did not arrive.", lambda: {(): exporter.failed})
