"""The numbers of the metrics page as OpenTelemetry's data points: the same names, labels and values.

An observable instrument can't be a histogram, and its callback can't say when it began to count; so what the page
shows is translated whole, and nothing can be on one and not on the other. Cumulative since the process began.
"""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from prometheus_client.metrics_core import Metric as Family
    from prometheus_client.samples import Sample

_CUMULATIVE = AggregationTemporality.CUMULATIVE


def metrics_data(
    families: Iterable[Family], *, resource: Resource, scope: InstrumentationScope, began: int, now: int
) -> MetricsData:
    """Write families as OpenTelemetry does; `began` and `now` are nanoseconds since the epoch."""
    metrics = [_metric(family, began, now) for family in families if family.samples]
    scopes = [ScopeMetrics(scope=scope, metrics=metrics, schema_url="")]
    return MetricsData(resource_metrics=[ResourceMetrics(resource=resource, scope_metrics=scopes, schema_url="")])


def _metric(family: Family, began: int, now: int) -> Metric:
    data: Sum | Gauge | Histogram
    if family.type == "histogram":
        by_labels = groupby(family.samples, key=_labels)
        points = [_histogram_point(labels, list(samples), began, now) for labels, samples in by_labels]
        data = Histogram(data_points=points, aggregation_temporality=_CUMULATIVE)
    else:
        numbers = [_number_point(sample, began, now) for sample in family.samples]
        data = Gauge(data_points=numbers)
        if family.type == "counter":
            data = Sum(data_points=numbers, aggregation_temporality=_CUMULATIVE, is_monotonic=True)
    name = family.name + ("_total" if family.type == "counter" else "")
    return Metric(name=name, description=family.documentation, unit="s" if name.endswith("_seconds") else "", data=data)


def _number_point(sample: Sample, began: int, now: int) -> NumberDataPoint:
    return NumberDataPoint(
        attributes=sample.labels, start_time_unix_nano=began, time_unix_nano=now, value=float(sample.value)
    )


def _labels(sample: Sample) -> dict[str, str]:
    return {name: value for name, value in sample.labels.items() if name != "le"}


def _histogram_point(labels: dict[str, str], samples: Sequence[Sample], began: int, now: int) -> HistogramDataPoint:
    """Take the buckets apart: each of ours holds those below it, each of theirs does not."""
    upto = [(float(sample.labels["le"]), int(sample.value)) for sample in samples if "le" in sample.labels]
    total = next(sample.value for sample in samples if sample.name.endswith("_sum"))
    return HistogramDataPoint(
        attributes=labels,
        start_time_unix_nano=began,
        time_unix_nano=now,
        count=upto[-1][1],
        sum=total,
        bucket_counts=[upto[0][1], *(after - before for (_, before), (_, after) in pairwise(upto))],
        explicit_bounds=[bound for bound, _ in upto[:-1]],
        min=None,  # type: ignore[arg-type]  # not kept; the field is optional on the wire
        max=None,  # type: ignore[arg-type]  # likewise
    )
