"""The policies that ship, under their own tests; pytest collects these too (`policies/**/*_test.yaml`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz.cli.testing.files import batches
from authz.cli.testing.running import ran
from authz.policy.reading import is_policy_file
from authz.store import read
from authz.testing import Verdict

ROOT = Path(__file__).parents[2]
FOLDERS = sorted({file.parent for file in (ROOT / "policies").rglob("*.yaml") if is_policy_file(file.name)})


def test_the_shop_is_wholly_covered() -> None:
    """Every rule holds, every limit is exhausted, every condition goes both ways in some test, and all pass."""
    done = ran(batches([ROOT / "policies" / "shop"], []), "", covering=True)
    assert {result.verdict for result in done.results} == {Verdict.PASSED}
    assert done.coverage is not None
    assert not [str(fault) for fault in done.coverage.missing()]


def test_what_coverage_counts_in_the_shop_is_what_a_reader_counts() -> None:
    """By hand: six rules and a limit; two ways for each condition, and for each side of `&&`.

    catalog: `method in`. platform: `inSet`. orders: `known`, the two sides of `freeze` and of `sign-in`, `== "DELETE"`,
    `own-orders`, and `when` of the limit. Ten conditions in all.
    """
    done = ran(batches([ROOT / "policies" / "shop"], []), "", covering=True)
    assert done.coverage is not None
    assert (done.coverage.points, done.coverage.ways) == ((7, 7), (20, 20))
    branches = {part.name: len(part.branches) for part in done.coverage.parts}
    assert branches == {
        "catalog/readers": 1,
        "risky-networks/listed": 1,
        "orders/known": 1,
        "orders/freeze": 2,
        "orders/nobody-deletes": 1,
        "orders/sign-in": 2,
        "orders/own-orders": 1,
        "orders/per-tenant": 1,
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_tests_are_not_served(folder: Path) -> None:
    """L9: what the service reads of these folders holds no test."""
    reading = read([folder])
    assert not reading.faults
    assert not [name for name in reading.files if name.endswith("_test.yaml")]
