"""Settings of `authz serve`, as far as they show without serving; the rest is in tests/server/test_running.py."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authz.cli.output import Exit
from authz.config.names import SETTINGS


def test_settings_in_force_are_shown_with_their_origin(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line each, all of them, no password among them (row O2)."""
    file = tmp_path / "authz.yaml"
    file.write_text("drain: 9s\n")
    monkeypatch.setenv("AUTHZ_REDIS_URL", "redis://u:canary@h:1/0")
    ran = run("serve", "--config", str(file), "--workers", "2", "--print-settings")
    assert (ran.status, ran.err) == (0, "")
    rows = {line.split()[0]: line.split()[1:] for line in ran.out.splitlines()}
    assert list(rows) == list(SETTINGS)
    assert rows["drain"] == ["9s", f"{file}:1"]
    assert rows["workers"] == ["2", "--workers"]
    assert rows["redis.url"] == ["redis://u:***@h:1/0", "AUTHZ_REDIS_URL"]
    assert rows["transport"] == ["auto", "default"]
    assert "canary" not in ran.out


def test_faults_of_settings_are_told_all_at_once(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the exit code for arguments, also when they are only to be shown."""
    file = tmp_path / "authz.yaml"
    file.write_text("wrokers: 2\n")
    monkeypatch.setenv("AUTHZ_DRAIN", "5")
    ran = run("serve", "--config", str(file), "--redis", "htp://u:canary@h", "--print-settings")
    assert (ran.status, ran.out) == (Exit.ARGUMENTS, "")
    assert [line.split(":")[0] for line in ran.err.splitlines() if not line.startswith(" ")] == [
        "--redis", str(file), "AUTHZ_DRAIN",
    ]  # fmt: skip
    assert "canary" not in ran.err
