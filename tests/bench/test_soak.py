"""The soak sees what it must see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import soak

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("transport", ["fast", "aio"])
def test_a_short_soak_is_well(transport: str, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    """Every answer fits its message while a tenth of the calls is given up; each round is printed."""
    monkeypatch.setattr(soak, "ROUNDS", 3)
    monkeypatch.setattr(soak, "SLACK", 64 * 1024**2)  # what a server takes to warm up
    assert soak.soak(1500, transport, tmp_path)
    assert capsys.readouterr().out.count("MiB resident") == 3


def test_a_wrong_answer_is_seen(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    """An answer that does not fit its message fails the soak and is named."""
    monkeypatch.setattr(soak, "ROUNDS", 2)
    monkeypatch.setattr(soak, "expected", lambda _payload: b"something else")
    assert not soak.soak(60, "fast", tmp_path)
    assert "payload 0: status 0" in capsys.readouterr().out


def test_growth_is_seen(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    """Memory that grows beyond the slack fails the soak."""
    grown = iter((0, 100, 200, 300 * 1024**2))
    monkeypatch.setattr(soak, "ROUNDS", 4)
    monkeypatch.setattr(soak.servers.Server, "resident", lambda _server: next(grown))
    assert not soak.soak(40, "fast", tmp_path)
    assert "grew by 300.0 MiB" in capsys.readouterr().out
