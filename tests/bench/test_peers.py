"""What is compared with others takes Go, says so, and is not run unless it is named."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import run
from peers import PEERS, SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def cores() -> Iterator[None]:
    """Give this process its cores back."""
    before = os.sched_getaffinity(0)
    yield
    os.sched_setaffinity(0, before)


@pytest.mark.parametrize("name", PEERS)
def test_without_go_it_says_what_to_install(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A machine without Go gets a sentence and exit code 1, no traceback."""
    monkeypatch.setattr("peers.shutil.which", lambda _: None)
    assert run.main([name, "--quick"]) == 1
    assert f"{name}: there is no `go` on this machine: https://go.dev/dl" in capsys.readouterr().err


def test_what_go_says_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A build that fails, for want of a network say, is told in Go's words."""
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho 'dial tcp: no route to host' >&2\nexit 1\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert run.main(["cel_go", "--quick"]) == 1
    assert "cel_go: go build" in (told := capsys.readouterr().err)
    assert "dial tcp: no route to host" in told


def test_they_run_where_they_are_named_only() -> None:
    """`make bench` takes nothing that a fresh machine has not."""
    assert not set(PEERS) & set(run.BENCHMARKS)


def test_every_version_is_pinned() -> None:
    """What is measured today is what is measured in a year."""
    sums = (SOURCES / "go.sum").read_text()
    required = [line.split()[:2] for line in (SOURCES / "go.mod").read_text().splitlines() if line.startswith("\t")]
    assert required
    assert all(f"{name} {version} h1:" in sums for name, version in required)
