"""The client that measures."""

from __future__ import annotations

import math
from collections import Counter

from authz.cli.bench.asking import Measured, asked


def test_percentiles_are_of_all_calls() -> None:
    """The slowest of a thousand is the last; nothing measured is no number."""
    measured = Measured(seconds=2.0, took=[number / 1000 for number in range(1000, 0, -1)])
    assert measured.percentiles(0.5, 0.99, 0.999) == (0.501, 0.991, 1.0)
    assert measured.rate == 500
    assert all(map(math.isnan, (Measured().rate, *Measured().percentiles(0.5))))


def test_rounds_add_up() -> None:
    """A round more is time, calls and answers more."""
    one = Measured(seconds=1.0, took=[0.1], answers=Counter(allow=1))
    both = Measured().add([one, one])
    assert (both.seconds, both.took, both.answers) == (2.0, [0.1, 0.1], {"allow": 2})


def test_a_server_that_is_not_there_is_counted_as_such() -> None:
    """A call that is not answered is told by its gRPC status, and is no answer."""
    measured = asked("127.0.0.1:1", b"", in_flight=2, seconds=0.05)
    assert set(measured.answers) == {"gRPC UNAVAILABLE"}
