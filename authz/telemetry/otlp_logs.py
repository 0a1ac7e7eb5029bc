"""Records to a collector as OTLP logs: a log per line, whose body is the line as a file would have it.

What a collector may want to sort by stands beside the body too: when it was, its format, what was decided and why, and
the trace it belongs to. A sink of records: it may block, and what is not taken in time is the recorder's to count.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import TraceFlags

from authz.telemetry.otlp import PATIENCE, SCOPE, resource_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_INFO = SeverityNumber.INFO


class _Line(msgspec.Struct, frozen=True, gc=False):
    """What of a line stands beside it; an event has no more than its format and time."""

    format: str
    time: datetime
    trace_id: str = ""
    id: str = ""
    decision: str = ""
    reason: str = ""


_decode = msgspec.json.Decoder(_Line).decode


class LogSink:
    """Sends lines to `endpoint`, the base URL of a collector."""

    def __init__(self, endpoint: str, *, version: str, worker: int = 0) -> None:
        url = f"{endpoint.rstrip('/')}/v1/logs"
        self._resource = resource_of(version, worker)
        self._scope = InstrumentationScope(SCOPE, version)
        self._to_logs = OTLPLogExporter(url, timeout=PATIENCE, compression=Compression.Gzip)

    def write(self, lines: bytes) -> None:
        """Send `lines`; raises `ConnectionError` where the collector does not take them in time."""
        logs = [ReadableLogRecord(_log(line), self._resource, self._scope) for line in lines.split(b"\n")[:-1]]
        if self._to_logs.export(logs) is not LogRecordExportResult.SUCCESS:
            raise ConnectionError("the OTLP collector did not take records")

    def close(self) -> None:
        """Let go of the connection."""
        self._to_logs.shutdown()  # type: ignore[no-untyped-call]


def _log(written: bytes) -> LogRecord:
    line = _decode(written)
    log = LogRecord(
        timestamp=_nanoseconds(line.time),
        observed_timestamp=time.time_ns(),
        trace_id=int(line.trace_id, 16) if line.trace_id else 0,
        span_id=0,
        trace_flags=TraceFlags(TraceFlags.DEFAULT),
        severity_text=_INFO.name,
        severity_number=_INFO,
        body=written.decode(),
        attributes=_attributes(line),
    )
    log.event_name = line.format
    return log


def _attributes(line: _Line) -> Mapping[str, str]:
    """Return what is named as on the span of the same check."""
    named = {"authz.decision_id": line.id, "authz.decision": line.decision, "authz.reason": line.reason}
    return {name: value for name, value in named.items() if value}


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1000
