"""Tests of warnings about limits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.linting.conftest import document


@pytest.mark.parametrize(
    ("keys", "code", "word"),
    [
        ("rate: 1/second", "AZ405", "identity.subject"),
        ("rate: 1/second, key: client.ip, mode: 'off'", "AZ404", "remove"),
        ("rate: 1/second, key: client.ip, when: false", "AZ404", "remove"),
    ],
)
def test_a_limit_that_is_none(warn: Any, keys: str, code: str, word: str) -> None:
    """AZ404 and AZ405: one that is never charged, and one that a single caller can use up for all."""
    ((told, _, _, under, _, hint),) = warn(document(f"limits:\n  - {{name: often, {keys}}}"))
    assert (told, under) == (code, "often")
    assert word in hint


@pytest.mark.parametrize("key", ["client.ip", "'\"all\"'", "[identity.subject, request.host]"])
def test_a_limit_that_is_one(warn: Any, key: str) -> None:
    """A constant key says that one budget for all is meant."""
    assert warn(document(f"limits: [{{name: often, rate: 1/second, key: {key}}}]")) == []
