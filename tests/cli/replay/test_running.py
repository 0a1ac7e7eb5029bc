"""The stretches of a log, counted here or by several processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.cli.replay.running import tallies
from authz.cli.replay.tally import Tally
from authz.server import records
from authz.server.records import UnreadableError, stretches

if TYPE_CHECKING:
    from pathlib import Path


def test_several_processes_count_what_one_counts(log: Path, after: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process reads the policies once, and the sum is the same."""
    monkeypatch.setattr(records, "STRETCH", 2_000)
    parts = stretches(log)
    assert len(parts) > 1
    one = Tally().add(tally for _, tally in tallies([after], parts, 1))
    two = Tally().add(tally for _, tally in tallies([after], parts, 2))
    assert (one.records, one.same, one.groups) == (two.records, two.same, two.groups)


def test_a_fault_in_another_process_is_told_here(log: Path, after: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is no record ends the replay with its place, whoever read it."""
    monkeypatch.setattr(records, "STRETCH", 2_000)
    with log.open("ab") as file:
        file.write(b"{\n")
    with pytest.raises(UnreadableError, match="no record"):
        list(tallies([after], stretches(log), 2))
