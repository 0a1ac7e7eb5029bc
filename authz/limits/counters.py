"""What the limiter has done, as plain numbers for telemetry to read; written by one thread, read by any."""

from __future__ import annotations

from bisect import bisect_left

BATCH_BOUNDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
ROUND_TRIP_BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05)


class Histogram:
    """Counts by upper bound; the last of `counts` is everything above."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class LimiterCounters:
    """Counted since the start: `checks` went out in `calls` on `round_trips`; `batch_size` counts checks."""

    def __init__(self) -> None:
        self.checks = 0
        self.calls = 0
        self.round_trips = 0
        self.denied_from_cache = 0
        self.degraded = 0
        self.rejected = 0
        self.connects = 0
        self.errors: dict[str, int] = {}
        self.batch_size = Histogram(BATCH_BOUNDS)
        self.round_trip_seconds = Histogram(ROUND_TRIP_BOUNDS)

    def failed(self, code: str, count: int = 1) -> None:
        """Count checks that were not answered, by the error's class."""
        self.errors[code] = self.errors.get(code, 0) + count
