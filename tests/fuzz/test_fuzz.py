"""The fuzzer is what it claims to be, and a few thousand of its cases pass in every run of the tests."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.fuzz.fuzz import MUTATIONS, SEEDS, cases, mutate, outcome


@pytest.mark.parametrize("seed", range(4))
def test_every_case_is_a_request_or_a_refusal(seed: int) -> None:
    """Row G1: nothing else comes out of `wire.read`, and what comes out keeps its promises."""
    seen = Counter(outcome(data) for data in cases(1000, seed))
    assert seen.keys() == {"request", "malformed", "ambiguous_request"}
    assert min(seen.values()) > 50, "the cases lean to one side"


def test_the_seeds_are_requests() -> None:
    """Undamaged, every seed but the empty one is read."""
    assert [outcome(seed) for seed in SEEDS] == ["request"] * 5 + ["malformed"]


def test_a_case_is_reproduced_by_its_seed() -> None:
    """The same seed gives the same bytes."""
    assert list(cases(200, 7)) == list(cases(200, 7))


@pytest.mark.parametrize("mutation", dict.fromkeys(MUTATIONS), ids=lambda mutation: mutation.__name__)
def test_every_mutation_takes_any_bytes(mutation: object) -> None:
    """A mutation damages what another has already damaged, and often changes something."""
    rng = random.Random(1)
    inputs = [b"", b"\xff", *SEEDS, *(mutate(rng, seed) for seed in SEEDS)]
    results = [mutation(rng, data) for data in inputs for _ in range(5)]  # type: ignore[operator] - any of the tuple
    assert all(isinstance(result, bytes) for result in results)
    assert any(result != data for result, data in zip(results, [d for d in inputs for _ in range(5)], strict=True))
