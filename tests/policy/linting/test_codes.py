"""Tests of the codes of warnings."""

from __future__ import annotations

from authz.policy.linting.codes import EXPLAINED, Lint


def test_every_code_is_explained() -> None:
    """A code without a paragraph helps nobody."""
    assert list(EXPLAINED) == [str(code) for code in Lint]
    assert all(told.endswith(".") for told in EXPLAINED.values())
