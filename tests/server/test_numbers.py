"""The metrics of a process have the names that dashboards know (INTERFACE.md, section 6)."""

import time
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from authz.audit import Recorder
from authz.limits.lease import Block
from authz.limits.memory import MemoryLimiter
from authz.limits.plan import Plan, Planner
from authz.limits.redis import RedisLimiter
from authz.model import Charge, Limit, Scope
from authz.server import numbers
from authz.server.comparing import Comparison
from authz.telemetry import Metrics


def _page(metrics: Metrics) -> dict[str, float]:
    lines = metrics.page().decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def test_policies_are_shown_once_there_are_any() -> None:
    """Without any the generation is 0 and there is no age."""
    metrics, store, events = (
        Metrics(),
        SimpleNamespace(current=None, faults=(), age=None),
        SimpleNamespace(reloads=Counter()),
    )
    numbers.show_policies(metrics, store, events)  # type: ignore[arg-type]
    page = _page(metrics)
    assert (page["authz_policy_generation"], page["authz_policy_reload_failing"]) == (0, 0)
    assert not {"authz_policy_age_seconds", "authz_policy_confirmed_age_seconds"} & page.keys()
    store.current, store.faults = SimpleNamespace(generation=3, loaded_at=0.0), ("fault",)
    store.age = 2.5
    events.reloads["loaded",] += 3
    page = _page(metrics)
    assert (page["authz_policy_generation"], page["authz_policy_reload_failing"]) == (3, 1)
    assert page['authz_policy_reloads_total{result="loaded"}'] == 3
    assert page["authz_policy_age_seconds"] > 0
    assert (page["authz_policy_confirmed_age_seconds"], page["authz_policy_expired"]) == (2.5, 0)


@pytest.mark.parametrize(("reason", "fallback"), [(None, "false"), ("ImportError", "true")])
def test_the_server_says_which_transport_serves(reason: str | None, fallback: str) -> None:
    """A fall-back is visible without reading the log."""
    metrics = Metrics()
    server: Any = SimpleNamespace(in_flight=2, transport="aio", fallback_reason=reason)
    numbers.show_server(metrics, server, SimpleNamespace(count=1))  # type: ignore[arg-type]
    page = _page(metrics)
    assert (page["authz_inflight"], page["authz_faults_total"]) == (2, 1)
    assert page[f'authz_transport{{fallback="{fallback}",transport="aio"}}'] == 1


def test_redis_is_shown_where_there_is_one() -> None:
    """Up or not, how long it takes, how many checks travel together, how many went without."""
    metrics = Metrics()
    limiter = RedisLimiter("redis://127.0.0.1:1")
    limiter.start()
    limiter.counters.round_trip_seconds.observe(0.0002)
    limiter.counters.batch_size.observe(3)
    limiter.counters.degraded = 2
    numbers.show_limiter(metrics, limiter)
    page = _page(metrics)
    limiter.close()
    assert (page["authz_redis_up"], page["authz_limiter_degraded"]) == (0, 1)
    assert page["authz_limiter_degraded_checks_total"] == 2
    assert page['authz_redis_round_trip_seconds_bucket{le="0.00025"}'] == 1
    assert page["authz_redis_round_trip_seconds_sum"] == 0.0002
    assert page['authz_redis_batch_size_bucket{le="2.0"}'] == 0
    assert page['authz_redis_batch_size_bucket{le="+Inf"}'] == 1


def test_leases_are_shown_by_limit() -> None:
    """What was charged ahead and is not spent yet, and how many charges were spent from it."""
    metrics, limiter = Metrics(), RedisLimiter("redis://127.0.0.1:1")
    hot = Limit(name="o/hot", requests=100, period=60.0, scope=Scope.LEASED)
    plan = Planner().plan([Charge(limit=hot, key=("a",))])
    assert isinstance(plan, Plan)
    limiter.leases.hold(plan, 1, time.monotonic())
    (lease,) = limiter.leases._leases.values()
    lease.blocks.append(Block(left=7, ends=time.monotonic() + 60, stamp=1))
    limiter.leases.hold(plan, 1, time.monotonic())
    numbers.show_limiter(metrics, limiter)
    page = _page(metrics)
    limiter.close()
    assert page['authz_limits_leased{limit="o/hot"}'] == 6
    assert page['authz_limits_lease_hits_total{limit="o/hot"}'] == 1


def test_memory_has_no_redis() -> None:
    """Limits are degraded or not in both; of Redis there are the names and no number: it is not down."""
    metrics = Metrics()
    numbers.show_limiter(metrics, MemoryLimiter())
    page = _page(metrics)
    assert page["authz_limiter_degraded"] == 0
    assert not any(name.startswith("authz_redis") for name in page)
    text = metrics.page().decode()
    for name in (
        "authz_redis_up gauge",
        "authz_redis_round_trip_seconds histogram",
        "authz_redis_batch_size histogram",
    ):
        assert f"# TYPE {name}\n" in text


def test_records_that_were_dropped_are_counted() -> None:
    """A gap in the records is visible."""
    metrics = Metrics()
    recorder = Recorder(SimpleNamespace(write=lambda _: None, close=lambda: None), capacity=1)
    recorder.event({"event": "a"})
    recorder.event({"event": "b"})
    numbers.show_recorder(metrics, recorder)
    page = _page(metrics)
    assert (page["authz_audit_dropped_total"], page["authz_audit_written_total"]) == (1, 0)


def test_what_a_collector_does_not_get_is_counted() -> None:
    """Spans that were dropped and sendings that failed are visible where they still can be."""
    metrics = Metrics()
    exporter: Any = SimpleNamespace(spans=SimpleNamespace(dropped=3), failed=2)
    numbers.show_exporter(metrics, exporter)
    page = _page(metrics)
    assert (page["authz_spans_dropped_total"], page["authz_otlp_failures_total"]) == (3, 2)


def test_a_candidate_has_a_number_for_every_outcome() -> None:
    """From the start, so that a query over them finds each; without a candidate there are none."""
    metrics, other = Metrics(), Metrics()
    candidate: Any = SimpleNamespace(counts=Counter({("same",): 2}), failing=True)
    numbers.show_candidate(metrics, candidate)
    numbers.show_candidate(other, None)
    page = _page(metrics)
    assert [page[f'authz_candidate_total{{outcome="{outcome.value}"}}'] for outcome in Comparison] == [2, 0, 0, 0, 0, 0]
    assert page["authz_candidate_failing"] == 1
    assert "authz_candidate_failing" not in _page(other)
