"""Sixty swaps under load in every run of the tests, and what the judge of a long run would say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from swaps import SLACK, Report, swaps

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_swaps_under_load_fail_nobody(tmp_path: Path) -> None:
    """Row L8: every answer is of one generation, every other set is broken and changes nothing, none is lost."""
    report = swaps(60, tmp_path)
    assert not report.wrong
    assert report.generation == report.versions == 31
    assert report.answers > 60


def test_memory_that_grows_is_told() -> None:
    """The slope is taken between the second and the last quarter: warming up is no leak."""
    steady = Report(swaps=0, resident=[50 * 1024**2] * 10 + [90 * 1024**2] * 30)
    leaking = Report(swaps=0, resident=[90 * 1024**2 + step * SLACK // 10 for step in range(40)])
    assert (steady.flat, leaking.flat) == (True, False)
