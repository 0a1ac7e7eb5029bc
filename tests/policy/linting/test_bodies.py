"""Tests of warnings about bodies without a bound."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.linting.conftest import document


@pytest.mark.parametrize(
    ("spec", "under"),
    [
        ('rules: [{name: a, allow: request.json.sku == "a" && request.json.n == 1}]', "request.json"),
        ('variables: {tool: request.mcp.tool}\nrules: [{name: a, allow: variables.tool == "a"}]', "request.mcp"),
        ("validate: [{name: order, schema: {type: object}}]", "order"),
    ],
)
def test_a_body_of_any_length(warn: Any, spec: str, under: str) -> None:
    """AZ413: said once for a document, at the first that reads a body."""
    ((code, _, _, told, _, hint),) = warn(document(spec))
    assert (code, told) == ("AZ413", under)
    assert "max_bytes" in hint


def test_a_body_with_a_bound(warn: Any) -> None:
    """One bound holds for the document."""
    spec = 'validate: [{name: size, max_bytes: 1024}]\nrules: [{name: a, allow: request.json.sku == "a"}]'
    assert warn(document(spec)) == []
