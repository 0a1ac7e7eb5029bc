"""The benchmark of replays: it finds what it planted, and would say so if it did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import replay
from replay import Kind, Tally, problems

if TYPE_CHECKING:
    import pytest


def test_planted_changes_are_found(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A small log: every planted change is found and no other, whatever the speed."""
    monkeypatch.setattr(replay, "ENGINE_CHECKS", 100)
    assert replay.main(["--records", "700", "--documents", "10"]) == 0
    assert "700" in capsys.readouterr().out


def test_a_change_that_is_missed_is_told() -> None:
    """A replay that found nothing would be wrong about both documents."""
    missed = problems(Tally(records=700), 700, 30)
    assert [problem.partition(":")[0] for problem in missed] == [Kind.DENIED, Kind.ALLOWED]
