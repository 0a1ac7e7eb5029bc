"""A decision by its id."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from authz.cli.explain.finding import recorded
from authz.server.records import UnreadableError
from tests.cli.replay.conftest import line

if TYPE_CHECKING:
    from pathlib import Path


def test_a_decision_is_found_wherever_the_log_has_it(tmp_path: Path) -> None:
    """In a file, and in what was rotated away and compressed; an id that is part of another is not it."""
    (tmp_path / "a.jsonl").write_bytes(line(11, {}))
    (tmp_path / "a.jsonl.1.gz").write_bytes(gzip.compress(line(1, {"headers": {"x-tenant": "d-3"}})))
    assert recorded("d-1", tmp_path).id == "d-1"
    assert recorded("d-11", tmp_path).id == "d-11"
    with pytest.raises(UnreadableError, match="no decision d-3"):
        recorded("d-3", tmp_path)
