"""Tests of how expressions are broken."""

from __future__ import annotations

import pytest

from authz.policy.formatting import formatted
from tests.policy.formatting.conftest import policy

RULE = "match: [{paths: [/a]}]\nrules:\n  - name: a\n    allow: "
LONG = 'request.path == "' + "x" * 110 + '"'


@pytest.mark.parametrize("header", [">-", ">", "|", "|+", "|-", ">+  # why"])
def test_blocks_are_of_one_kind(header: str) -> None:
    """`|-`, where a caret points into the line that is meant."""
    block = '\n      request.method == "GET"\n      && source.port == 1\n'
    _, _, remark = header.partition("  ")
    assert formatted(policy(f"{RULE}{header}{block}")) == policy(f"{RULE}|-{'  ' if remark else ''}{remark}{block}")


@pytest.mark.parametrize("operator", ["||", "&&"])
def test_a_long_expression_is_broken_before_its_outermost_operators(operator: str) -> None:
    """Brackets stay whole, and a comment behind stays behind."""
    written = f"{LONG} {operator} (source.port == 1 {operator} source.port == 2) {operator} source.port == 3   # why"
    parts = (LONG, f"{operator} (source.port == 1 {operator} source.port == 2)", f"{operator} source.port == 3")
    block = "".join(f"\n      {part}" for part in parts)
    assert formatted(policy(f"{RULE}{written}\n")) == policy(f"{RULE}|-   # why{block}\n")


@pytest.mark.parametrize("written", ["source.port == 1 && source.port == 2", LONG, f"'{LONG} ? true : a && b'"])
def test_what_is_short_or_whole_stays_on_its_line(written: str) -> None:
    """An expression without outermost operators, and one whose `?` binds less than they do."""
    text = policy(f"{RULE}{written}\n")
    assert formatted(text) == text


def test_texts_are_no_expressions() -> None:
    """A message in a block keeps its line breaks, however it is folded."""
    text = policy("description: >\n  One\n  two.\nmatch: [{paths: [/a]}]\n")
    assert formatted(text) == text
