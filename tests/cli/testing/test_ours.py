"""Which files are tests of policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.cli.testing.ours import is_ours

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("content", "ours"),
    [
        (b"apiVersion: authz/v1\nkind: PolicyTest\n", True),
        (b"kind: PolicyTest\n", True),
        (b"apiVersion: authz/v2\n", True),
        (b"rule_files: [rules.yaml]\n", False),
        (b"\xff\xfe", False),
        (b"", False),
    ],
)
def test_a_file_is_ours_if_it_says_so_in_any_way(content: bytes, ours: bool, tmp_path: Path) -> None:
    """Half of a head is a mistake of ours to be told; none of it is another program's file."""
    file = tmp_path / "a_test.yaml"
    file.write_bytes(content)
    assert is_ours(file) is ours
