"""A collector: an HTTP server that reads OTLP as its protocol says, and outcomes to tell it of."""

from __future__ import annotations

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.protobuf.message import Message
    from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
    from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

MESSAGES: dict[str, type[Message]] = {
    "/v1/logs": ExportLogsServiceRequest,
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
}
WITHIN = 20.0


class Collector(ThreadingHTTPServer):
    """Takes OTLP/HTTP in protobuf (OTLP specification, "OTLP/HTTP") and keeps what came, by path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.status = 200
        self.came: dict[str, list[Message]] = {path: [] for path in MESSAGES}
        self.raw: list[bytes] = []
        self.changed = threading.Condition()

    @property
    def url(self) -> str:
        """The endpoint to set."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def spans(self) -> list[Span]:
        """Every span that came."""
        return [
            span
            for message in self.came["/v1/traces"]
            for resource in message.resource_spans  # type: ignore[attr-defined]
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def logs(self) -> list[LogRecord]:
        """Every log that came."""
        return [
            log
            for message in self.came["/v1/logs"]
            for resource in message.resource_logs  # type: ignore[attr-defined]
            for scope in resource.scope_logs
            for log in scope.log_records
        ]

    @property
    def metrics(self) -> dict[str, Metric]:
        """The metrics that came last, by name."""
        if not self.came["/v1/metrics"]:
            return {}
        (resource,) = self.came["/v1/metrics"][-1].resource_metrics  # type: ignore[attr-defined]
        return {metric.name: metric for scope in resource.scope_metrics for metric in scope.metrics}

    def wait(self, until: Callable[[Collector], object]) -> None:
        """Wait until what came is as it should be."""
        with self.changed:
            assert self.changed.wait_for(lambda: until(self), WITHIN), self.came


class Taking(BaseHTTPRequestHandler):
    """One sending."""

    protocol_version = "HTTP/1.1"
    server: Collector

    def _body(self) -> bytes:
        """Read a body of a length that is told, as our exporter sends it, or in chunks, as Envoy does."""
        if length := self.headers["content-length"]:
            return self.rfile.read(int(length))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def do_POST(self) -> None:
        """Read it as protobuf; anything else is an error of the test."""
        body = self._body()
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        assert self.headers["content-type"] == "application/x-protobuf"
        with self.server.changed:
            if self.server.status == 200:
                self.server.raw.append(body)
                self.server.came[self.path].append(MESSAGES[self.path].FromString(body))
            self.server.changed.notify_all()
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Run a collector on loopback."""
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
