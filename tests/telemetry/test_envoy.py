"""A request that a real Envoy traces: its spans and ours arrive at one collector, in one trace."""

from __future__ import annotations

import http.client
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from authz.cli.demo.stack import Stack
from tests.server.conftest import POLICY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

TRACED, SILENT = "4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c"
CLIENTS_SPAN = "00f067aa0ba902b7"
WITHIN = 20.0


class Traced(Stack):
    """The demo's processes, with an Envoy that sends its spans to a collector."""

    def __init__(self, folder: Path, policies: Path, collector: int) -> None:
        self._collector = collector
        super().__init__(folder, policies, 0, lambda _: None)

    def _configuration(self, upstream: int) -> Any:
        configuration = super()._configuration(upstream)
        resources = configuration["static_resources"]
        manager = resources["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        service = {"http_uri": {"uri": "http://collector/v1/traces", "cluster": "collector", "timeout": "1s"}}
        manager["tracing"] = {
            "provider": {
                "name": "envoy.tracers.opentelemetry",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
                    "http_service": service,
                    "service_name": "envoy",
                },
            }
        }
        socket = {"socket_address": {"address": "127.0.0.1", "port_value": self._collector}}
        resources["clusters"].append(
            {
                "name": "collector",
                "type": "STATIC",
                "load_assignment": {
                    "cluster_name": "collector",
                    "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket}}]}],
                },
            }
        )
        layer = {"tracing.opentelemetry.flush_interval_ms": 100, "tracing.opentelemetry.min_flush_spans": 1}
        configuration["layered_runtime"] = {"layers": [{"name": "flush", "static_layer": layer}]}
        return configuration

    def get(self, traceparent: str) -> int:
        """Ask Envoy as a caller that traces."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", "/x", headers={"traceparent": traceparent})
        status = connection.getresponse().status
        connection.close()
        return status


@pytest.fixture
def stack(tmp_path: Path, collector: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Traced]:
    """Start an upstream, the service and a real Envoy, both of which send to the collector."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "all.yaml").write_text(POLICY)
    monkeypatch.setenv("AUTHZ_RECORD_SINK", str(tmp_path / "records"))
    monkeypatch.setenv("AUTHZ_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("AUTHZ_OTLP_INTERVAL", "200ms")
    stack = Traced(tmp_path, tmp_path / "policies", collector.server_address[1])
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


def records(folder: Path, trace: str) -> list[dict[str, Any]]:
    """Read the records of a trace, as soon as there are any."""
    deadline = time.monotonic() + WITHIN
    while True:
        lines = map(json.loads, (folder / "records").read_text().splitlines())
        if found := [line for line in lines if line.get("trace_id") == trace]:
            return found
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_check_stands_in_the_trace_that_envoy_started(stack: Traced, tmp_path: Path, collector: Any) -> None:
    """Our span's parent is Envoy's span of the check, and names the record; what Envoy does not record is no span."""
    assert stack.get(f"00-{SILENT}-{CLIENTS_SPAN}-00") == 200
    assert stack.get(f"00-{TRACED}-{CLIENTS_SPAN}-01") == 200
    collector.wait(
        lambda it: {"authz.check"} < {span.name for span in it.spans if span.trace_id.hex() == TRACED} and it.metrics
    )
    of_trace = {span.name: span for span in collector.spans if span.trace_id.hex() == TRACED}
    ours = of_trace.pop("authz.check")
    assert ours.parent_span_id in {span.span_id for span in of_trace.values()}
    (record,) = records(tmp_path, TRACED)
    said = {attribute.key: attribute.value.string_value for attribute in ours.attributes}
    assert said["authz.decision_id"] == record["id"]
    assert len(records(tmp_path, SILENT)) == 1
    assert all(span.trace_id.hex() != SILENT for span in collector.spans)
