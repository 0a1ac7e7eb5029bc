"""What goes to a collector over OTLP: one thread that sends spans every second and metrics every interval.

A collector that is slow, gone or refuses costs spans and points, counted, and nothing else. Imported only where an
endpoint is set: the exporter is the extra `otlp`, and OpenTelemetry costs a process 10 MiB. Headers with a token come
from the environment (`OTEL_EXPORTER_OTLP_HEADERS`), as do `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import MetricExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from authz.telemetry.instruments import metrics_data
from authz.telemetry.spans import Spans

if TYPE_CHECKING:
    from authz.telemetry.metrics import Metrics

_log = logging.getLogger(__name__)

SCOPE = "authz"

SPANS_EVERY = 1.0
"""Seconds that a span waits for others."""

PATIENCE = 3.0
"""Seconds that one sending may take; the exporter tries again within them."""


class Exporter:
    """Sends the numbers of `metrics` and the spans of `spans` to `endpoint`, the base URL of a collector."""

    def __init__(self, endpoint: str, metrics: Metrics, *, interval: float, version: str, worker: int = 0) -> None:
        base = endpoint.rstrip("/")
        resource = resource_of(version, worker)
        self._resource = resource
        self._scope = InstrumentationScope(SCOPE, version)
        self._metrics = metrics
        self._interval = interval
        self._began = time.time_ns()
        gzip = Compression.Gzip
        self._to_metrics = OTLPMetricExporter(f"{base}/v1/metrics", timeout=PATIENCE, compression=gzip)
        self._to_traces = OTLPSpanExporter(f"{base}/v1/traces", timeout=PATIENCE, compression=gzip)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="otlp", daemon=True)
        self.spans = Spans(resource, SCOPE, version)
        self.failed = 0
        self._arrives = True

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def close(self) -> None:
        """Send what waits, once, and end."""
        self._closing.set()
        self._thread.join(PATIENCE)
        self._to_traces.shutdown()  # type: ignore[no-untyped-call]
        self._to_metrics.shutdown()

    def _run(self) -> None:
        due = time.monotonic() + self._interval
        while not self._closing.wait(min(SPANS_EVERY, self._interval)):
            self._send_spans()
            if time.monotonic() >= due:
                due = time.monotonic() + self._interval
                self._send_metrics()
        self._send_spans()
        self._send_metrics()

    def _send_spans(self) -> None:
        spans = self.spans.take()
        if spans and not self._told(self._to_traces.export(spans) is SpanExportResult.SUCCESS):
            self.spans.dropped += len(spans)

    def _send_metrics(self) -> None:
        families = self._metrics.registry.collect()
        data = metrics_data(
            families, resource=self._resource, scope=self._scope, began=self._began, now=time.time_ns()
        )  # fmt: skip
        self._told(self._to_metrics.export(data) is MetricExportResult.SUCCESS)

    def _told(self, arrived: bool) -> bool:
        """Count what did not arrive, and tell when that begins and ends."""
        if not arrived:
            self.failed += 1
        if arrived is not self._arrives:
            self._arrives = arrived
            tell = _log.info if arrived else _log.warning
            tell("the OTLP collector %s", "takes what is sent" if arrived else "can't be reached or refuses")
        return arrived


def resource_of(version: str, worker: int) -> Resource:
    """Return who sends; the environment may give the service another name."""
    made = Resource.create({"service.version": version, "service.instance.id": f"{os.uname().nodename}-{worker}"})
    named = not str(made.attributes["service.name"]).startswith("unknown_service")
    return made if named else made.merge(Resource({"service.name": SCOPE}))
