"""One span for each check that Envoy traces: taken note of on the request path, made into a span elsewhere.

A span names what was decided and by what, as the record does, and nothing of the request: it goes to a system that
more people read. Its parent is Envoy's span of the check, so it stands in the trace of the request.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from authz.model import Reason

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

    from authz.model import Outcome

NAME = "authz.check"

CAPACITY = 2048
"""Outcomes that may wait; the collector is asked every second, so more than that are more than it wants."""


class Spans(SpanProcessor):
    """An observer that keeps outcomes whose trace is recorded. `dropped` is a counter to read."""

    def __init__(self, resource: Resource, scope: str, version: str) -> None:
        self._queue: deque[Outcome] = deque()
        self._ended: list[ReadableSpan] = []
        provider = TracerProvider(resource=resource, sampler=ALWAYS_ON, shutdown_on_exit=False)
        provider.add_span_processor(self)
        self._tracer = provider.get_tracer(scope, version)
        self.dropped = 0

    def __call__(self, outcome: Outcome) -> None:
        """Keep an outcome that is to have a span; drop it, and count that, where too many wait."""
        if outcome.parent_span:
            if len(self._queue) < CAPACITY:
                self._queue.append(outcome)
            else:
                self.dropped += 1

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span that is whole; called by the tracer."""
        self._ended.append(span)

    def take(self) -> list[ReadableSpan]:
        """Return the spans of the outcomes that waited; for one thread only."""
        for _ in range(len(self._queue)):
            self._write(self._queue.popleft())
        ended, self._ended = self._ended, []
        return ended

    def _write(self, outcome: Outcome) -> None:
        parent = SpanContext(
            int(outcome.trace_id, 16), int(outcome.parent_span, 16), is_remote=True, trace_flags=TraceFlags(1)
        )
        begun = round(outcome.started * 1e6) * 1000  # a float of this size knows microseconds
        span = self._tracer.start_span(
            NAME,
            set_span_in_context(NonRecordingSpan(parent)),
            kind=SpanKind.SERVER,
            attributes=_attributes(outcome),
            start_time=begun,
        )
        if outcome.decision.reason is Reason.INTERNAL_ERROR:
            span.set_status(Status(StatusCode.ERROR))
        span.end(begun + round(outcome.duration * 1e9))


def _attributes(outcome: Outcome) -> dict[str, str]:
    decision = outcome.decision
    found = {
        "authz.decision": str(decision.effect),
        "authz.reason": str(decision.reason),
        "authz.policy": decision.policy,
        "authz.rule": decision.rule,
        "authz.decision_id": outcome.id,
    }
    return {name: value for name, value in found.items() if value is not None}
