"""What this service tells of itself while it runs: numbers, and spans of the checks that Envoy traces.

`metrics` counts and shows the page that Prometheus reads; `trace` finds Envoy's trace in gRPC metadata; `otlp` sends
both to a collector from a thread of its own, with `spans` and `instruments` to write them as OpenTelemetry does.
Nothing on the request path does more than add to a number or append to a bounded queue.
"""

from authz.telemetry.counts import Counts
from authz.telemetry.metrics import BUCKETS, Metrics
from authz.telemetry.trace import sampled_parent, trace_id

__all__ = ["BUCKETS", "Counts", "Metrics", "sampled_parent", "trace_id"]
