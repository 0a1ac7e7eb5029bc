"""Tests of where nodes begin and end."""

from __future__ import annotations

import pytest

from authz.policy.formatting.places import column_of, end, is_remark, line_of, scalars
from authz.policy.source import Mapping
from authz.policy.yaml import compose


@pytest.mark.parametrize(
    "written",
    [
        "[a, [b], {c: d}]", "{a: \"]\", b: ']'}", "[don't, x]", "[a, # ]\n  b]", "|-\n  a\n  b", "a\n  b", "{}",
        '"\\"]"',
        "\n  x: 1\n  y: [1]", "\n- a\n- {b: c}",
    ],
)  # fmt: skip
def test_a_node_ends_behind_its_last_character(written: str) -> None:
    """Brackets in quotes and comments close nothing; an apostrophe in a word opens nothing."""
    text = f"k: {written}\nlast: 1\n"
    (node,) = compose("", text.encode()).documents
    assert isinstance(node, Mapping)
    assert text[: end(node["k"])] == f"k: {written}"


def test_lines_and_columns_count_from_nothing() -> None:
    """Of the first character, of a line end, of the last line."""
    assert [(line_of("a\nbc", at), column_of("a\nbc", at)) for at in (0, 1, 2, 3)] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_remarks() -> None:
    """Blank lines and comments."""
    assert list(map(is_remark, ["", "  ", "# a", "  # a", "a # b", "-"])) == [True] * 4 + [False] * 2


def test_scalars_know_their_key() -> None:
    """A variable is an expression, whatever it is called."""
    (node,) = compose("", b"a: b\nvariables: {x: y}\nkey: [c]\n").documents
    assert [(str(one), key, flow) for one, key, flow in scalars(node)] == [
        ("b", "a", False), ("y", "when", True), ("c", "key", True),
    ]  # fmt: skip
