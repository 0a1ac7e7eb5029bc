"""What a comparison makes of measured pairs."""

from __future__ import annotations

from itertools import count

import pytest
from comparing import Row, in_turns, row

SIDES = ("baseline", "subject")


def test_ratio_is_the_median_of_the_rounds() -> None:
    """Each round gives one ratio; a disturbed round moves the extremes and not the ratio."""
    made = row("name", "calls/s", SIDES, [(10.0, 30.0), (5.0, 16.0), (10.0, 2.0)])

    assert (made.low, made.ratio, made.high) == (0.2, 3.0, 3.2)
    assert (made.baseline_value, made.subject_value) == (10.0, 16.0)


@pytest.mark.parametrize(
    ("at_least", "at_most", "met"), [(2.0, None, True), (2.1, None, False), (None, 2.0, True), (None, 1.9, False)]
)
def test_bound_is_kept_or_missed(at_least: float | None, at_most: float | None, met: bool) -> None:
    """A ratio on its bound keeps it."""
    assert row("name", "calls/s", SIDES, [(1.0, 2.0)], at_least=at_least, at_most=at_most).met is met


def test_without_a_bound_nothing_is_met_or_missed() -> None:
    """A row without a bound is there to be looked at."""
    made: Row = row("name", "calls/s", SIDES, [(1.0, 2.0)])
    assert made.met is None


def test_sides_take_turns_and_change_places() -> None:
    """Every round measures both sides, and neither is always the first."""
    turn = count()
    assert in_turns(3, lambda: ("a", next(turn)), lambda: ("b", next(turn))) == [
        (("a", 0), ("b", 1)),
        (("a", 3), ("b", 2)),
        (("a", 4), ("b", 5)),
    ]
