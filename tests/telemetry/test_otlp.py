"""What goes to a collector arrives there as the protocol says, and a collector that is not there costs nothing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from authz.model import ANONYMOUS, UNLIMITED, Decision, Effect, Outcome, Reason
from authz.telemetry import Metrics
from authz.telemetry.otlp import Exporter
from authz.telemetry.spans import CAPACITY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
DENIED = Decision(effect=Effect.DENY, reason=Reason.DENY_RULE, status=403, policy="orders", rule="no-writes")


def outcome(decision: Decision = DENIED, parent_span: str = SPAN, duration: float = 80e-6) -> Outcome:
    """Return an outcome of a check that Envoy traces."""
    return Outcome(
        id="d-1", decision=decision, request=None, identity=ANONYMOUS, usage=UNLIMITED, generation=1, policy_digest="",
        trace_id=TRACE, parent_span=parent_span, started=1_790_000_000.25, duration=duration,
    )  # fmt: skip


@pytest.fixture
def metrics() -> Metrics:
    """Return numbers of every kind."""
    made = Metrics()
    for duration in (20e-6, 80e-6, 80e-6, 3.0):
        made(outcome(duration=duration))
    made.read("authz_policy_generation", "Generation.", lambda: {(): 4})
    made.read("authz_policy_reloads_total", "Reloads.", lambda: {("loaded",): 2, ("refused",): 1}, ["result"])
    return made


@pytest.fixture
def exporter(metrics: Metrics, collector: Any) -> Iterator[Exporter]:
    """Send to the collector, quickly."""
    made = Exporter(collector.url, metrics, interval=0.05, version="1.2", worker=3)
    made.start()
    yield made
    made.close()


def points(metric: Metric) -> dict[tuple[tuple[str, str], ...], object]:
    """Return the numbers of a metric by their attributes."""
    data = getattr(metric, metric.WhichOneof("data") or "")
    return {
        tuple(sorted((a.key, a.value.string_value) for a in point.attributes)):
            point if metric.HasField("histogram") else point.as_double
        for point in data.data_points
    }  # fmt: skip


@pytest.mark.usefixtures("exporter")
def test_every_number_of_the_page_arrives(metrics: Metrics, collector: Any) -> None:
    """The collector gets the same names, labels and values as Prometheus."""
    collector.wait(lambda it: it.metrics)
    sent = collector.metrics
    for family in text_string_to_metric_families(metrics.page().decode()):
        if family.type != "histogram":
            for sample in family.samples:
                assert points(sent[sample.name])[tuple(sorted(sample.labels.items()))] == sample.value
    assert sent["authz_checks_total"].sum.is_monotonic
    assert sent["authz_policy_generation"].HasField("gauge")


@pytest.mark.usefixtures("exporter")
def test_a_histogram_keeps_its_buckets(collector: Any) -> None:
    """Prometheus' buckets hold those below, OTLP's do not; the sum and the unit are there, what is not kept is not."""
    collector.wait(lambda it: it.metrics)
    metric = collector.metrics["authz_check_duration_seconds"]
    (point,) = metric.histogram.data_points
    assert list(point.bucket_counts) == [1, 2, *[0] * 11, 1]
    assert list(point.explicit_bounds)[:2] == [50e-6, 100e-6]
    assert (point.count, metric.unit) == (4, "s")
    assert point.sum == pytest.approx(3.00018)
    assert not point.HasField("min")


def test_a_check_that_envoy_traces_is_a_span_of_that_trace(exporter: Exporter, collector: Any) -> None:
    """The span has Envoy's trace id, Envoy's span as parent, the check's times, and says what was decided."""
    exporter.spans(outcome())
    collector.wait(lambda it: it.spans)
    (span,) = collector.spans
    assert (span.trace_id.hex(), span.parent_span_id.hex(), span.name) == (TRACE, SPAN, "authz.check")
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (
        1_790_000_000_250_000_000,
        1_790_000_000_250_080_000,
    )
    assert {attribute.key: attribute.value.string_value for attribute in span.attributes} == {
        "authz.decision": "deny", "authz.reason": "deny_rule", "authz.policy": "orders", "authz.rule": "no-writes",
        "authz.decision_id": "d-1",
    }  # fmt: skip
    resource = {
        a.key: a.value.string_value for a in collector.came["/v1/traces"][0].resource_spans[0].resource.attributes
    }
    assert (resource["service.name"], resource["service.version"]) == ("authz", "1.2")
    assert resource["service.instance.id"].endswith("-3")


def test_a_check_that_nobody_traces_is_no_span(exporter: Exporter, collector: Any) -> None:
    """Without a parent that is recorded nothing is kept."""
    exporter.spans(outcome(parent_span=""))
    exporter.close()
    assert collector.spans == []


def test_what_waits_is_sent_at_the_end(metrics: Metrics, collector: Any) -> None:
    """A service that stops tells its last spans and numbers first."""
    exporter = Exporter(collector.url, metrics, interval=3600, version="1")
    exporter.start()
    exporter.spans(outcome())
    exporter.close()
    assert len(collector.spans) == 1
    assert "authz_checks_total" in collector.metrics


def test_a_collector_that_is_gone_costs_spans_and_one_line(metrics: Metrics, caplog: pytest.LogCaptureFixture) -> None:
    """O4: what can't be sent is counted; the log says it once, not at every attempt."""
    caplog.set_level(logging.INFO, "authz")
    exporter = Exporter("http://127.0.0.1:1", metrics, interval=3600, version="1")
    exporter.spans(outcome())
    exporter.start()
    exporter.close()
    assert exporter.spans.dropped == 1
    assert exporter.failed >= 1
    assert [line.getMessage() for line in caplog.records if line.name == "authz.telemetry.otlp"] == [
        "the OTLP collector can't be reached or refuses"
    ]


def test_more_spans_than_are_wanted_are_dropped(metrics: Metrics) -> None:
    """O4: what waits has a bound, and an append never waits."""
    exporter = Exporter("http://127.0.0.1:1", metrics, interval=3600, version="1")
    for _ in range(CAPACITY + 5):
        exporter.spans(outcome())
    assert exporter.spans.dropped == 5
