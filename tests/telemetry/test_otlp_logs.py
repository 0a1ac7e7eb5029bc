"""Records arrive at a collector as logs, whole, and one that takes none costs records and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from authz.audit import LineWriter, Recorder
from authz.telemetry.otlp_logs import LogSink

from .test_otlp import TRACE, outcome

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sink(collector: Any) -> Iterator[LogSink]:
    """Send to the collector."""
    made = LogSink(collector.url, version="1.2", worker=3)
    yield made
    made.close()


def test_a_record_is_a_log_whose_body_is_its_line(sink: LogSink, collector: Any) -> None:
    """The body is what a file would hold; what to sort by, when it was and its trace stand beside it."""
    line = LineWriter()(outcome())
    sink.write(line)
    (log,) = collector.logs
    assert log.body.string_value.encode() + b"\n" == line
    assert {each.key: each.value.string_value for each in log.attributes} == {
        "authz.decision_id": "d-1", "authz.decision": "deny", "authz.reason": "deny_rule",
    }  # fmt: skip
    assert (log.time_unix_nano, log.trace_id.hex()) == (1_790_000_000_250_000_000, TRACE)
    assert (log.event_name, log.severity_text) == ("authz.record/v1", "INFO")
    (resource,) = collector.came["/v1/logs"][0].resource_logs
    assert {each.key: each.value.string_value for each in resource.resource.attributes}["service.name"] == "authz"


def test_events_are_logs_among_records_in_their_order(sink: LogSink, collector: Any) -> None:
    """What is no decision has no attributes, and everything that was queued is sent before the end."""
    recorder = Recorder(sink)
    recorder.event({"event": "policies_loaded", "generation": 1})
    for _ in range(300):
        recorder(outcome())
    recorder.start()
    recorder.close()
    formats = [json.loads(log.body.string_value)["format"] for log in collector.logs]
    assert formats == ["authz.event/v1", *["authz.record/v1"] * 300]
    assert list(collector.logs[0].attributes) == []
    assert (recorder.written, recorder.dropped) == (301, 0)


def test_a_collector_that_refuses_costs_records(sink: LogSink, collector: Any) -> None:
    """O4: they are counted as dropped, and those that come when it is well again arrive."""
    collector.status = 400
    with pytest.raises(ConnectionError, match="did not take"):
        sink.write(LineWriter()(outcome()))
    collector.status = 200
    sink.write(LineWriter()(outcome()))
    assert len(collector.logs) == 1
