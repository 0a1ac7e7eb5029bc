"""The cases are reproducible, damaged in many ways, and never damage the fuzzer."""

from __future__ import annotations

import random

import pytest
from mutations import LARGEST, MUTATIONS, SEEDS, cases, mutate


def test_a_case_is_reproduced_by_its_seed() -> None:
    """The same seed gives the same bytes, another seed others."""
    assert list(cases(200, 7)) == list(cases(200, 7))
    assert list(cases(200, 7)) != list(cases(200, 8))


@pytest.mark.parametrize("mutation", dict.fromkeys(MUTATIONS), ids=lambda mutation: mutation.__name__)
def test_every_mutation_takes_any_bytes(mutation: object) -> None:
    """A mutation damages what another has already damaged, and often changes something."""
    rng = random.Random(1)
    inputs = [b"", b"\xff", *SEEDS, *(mutate(rng, seed) for seed in SEEDS)]
    results = [mutation(rng, data) for data in inputs for _ in range(5)]  # type: ignore[operator] - any of the tuple
    assert all(isinstance(result, bytes) for result in results)
    assert any(result != data for result, data in zip(results, [d for d in inputs for _ in range(5)], strict=True))


def test_cases_are_bounded() -> None:
    """No mutation grows a message without end."""
    assert max(map(len, cases(500, 3))) <= LARGEST
