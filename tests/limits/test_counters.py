"""The limiter's numbers."""

from __future__ import annotations

from authz.limits.counters import Histogram, LimiterCounters


def test_a_value_counts_under_the_first_bound_it_does_not_pass() -> None:
    """As Prometheus has it: a bound includes its own value; what passes all of them is counted last."""
    histogram = Histogram((1.0, 2.0, 4.0))
    for value in (0.5, 1.0, 1.5, 4.0, 9.0):
        histogram.observe(value)
    assert histogram.counts == [2, 1, 1, 1]
    assert histogram.total == 16.0


def test_failures_are_counted_by_class() -> None:
    """Each class is a count of checks."""
    counters = LimiterCounters()
    counters.failed("OOM", 3)
    counters.failed("timeout")
    counters.failed("OOM")
    assert counters.errors == {"OOM": 4, "timeout": 1}
