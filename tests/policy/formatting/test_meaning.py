"""Tests of when two texts say the same."""

from __future__ import annotations

import pytest

from authz.policy.formatting.meaning import alike
from authz.policy.yaml import compose


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("{a: 1, b: x}", "{b: 'x', a: 1}", True),
        ("{when: a  &&  b}", "{when: a && b}", True),
        ("{variables: {x: a+b}}", "{variables: {x: a + b}}", True),
        ("{when: '\"a  b\"'}", "{when: '\"a b\"'}", False),
        ("{message: a  b}", "{message: 'a  c'}", False),
        ("{a: '1'}", "{a: 1}", False),
        ("[a, b]", "[b, a]", False),
        ("{a: 1}", "{a: 1", False),
        ("{a: 1}", "{a: 1, a: 1}", False),
        ("a", "a\n---\nb", False),
    ],
)
def test_order_and_blanks_in_expressions_mean_nothing(one: str, other: str, same: bool) -> None:
    """The order of a list, the kind of a value, and blanks in texts, also those inside of expressions, do."""
    assert alike(compose("", one.encode()).documents, compose("", other.encode())) is same
