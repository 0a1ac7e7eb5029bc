"""A few thousand cases are read in every run of the tests."""

from __future__ import annotations

from collections import Counter

import pytest
from mutations import SEEDS, cases
from promises import outcome


@pytest.mark.parametrize("seed", range(4))
def test_every_case_is_a_request_or_a_refusal(seed: int) -> None:
    """Row G1: nothing else comes out of `wire.read`, and what comes out keeps its promises."""
    seen = Counter(outcome(data) for data in cases(1000, seed))
    assert seen.keys() == {"request", "malformed", "ambiguous_request"}
    assert min(seen.values()) > 50, "the cases lean to one side"


def test_the_seeds_are_requests() -> None:
    """Undamaged, every seed but the empty one is read."""
    assert sorted(outcome(seed) for seed in SEEDS) == ["malformed"] + ["request"] * (len(SEEDS) - 1)
