"""The entry point: what it prints, what it exits with."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
import run
from comparing import BenchmarkError, Effort, Row, row
from servers import LOAD_CORE

from authz import __version__
from authz.build import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def slow(_effort: Effort, _folder: Path) -> Iterator[Row]:
    """Miss a bound."""
    yield row("slow", "calls/s", ("old", "new"), [(1000.0, 2000.0)], at_least=3.0)


def broken(_effort: Effort, folder: Path) -> Iterator[Row]:
    """Give one row and fail."""
    yield row("broken", "ms", ("old", "new"), [(1.0, 1.0)])
    (folder / "server.log").write_text("what the server said")
    raise BenchmarkError("nothing answered")


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put two small benchmarks in the place of the real ones, and give this process its cores back."""
    monkeypatch.setattr(run, "BENCHMARKS", {"slow": slow, "broken": broken})
    cores = os.sched_getaffinity(0)
    yield
    os.sched_setaffinity(0, cores)


def test_missed_bound_is_shown_and_gates_only_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """A missed bound is printed; it is an exit code only with --gate."""
    assert run.main(["slow"]) == 0
    assert "2.00 (2.00 to 2.00)" in (printed := capsys.readouterr().out)
    assert "at least 3: MISSED" in printed
    assert f"load generator on {LOAD_CORE}" in printed
    assert f"authz {__version__} ({build()})" in printed
    assert run.main(["slow", "--gate"]) == 1


def test_failure_keeps_the_rows_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    """A benchmark that fails is named with the server's last words, exits 1, and the others are still reported."""
    assert run.main(["broken", "slow", "--output", "json"]) == 1
    captured = capsys.readouterr()
    assert [row["benchmark"] for row in json.loads(captured.out)["rows"]] == ["broken", "slow"]
    assert "broken: nothing answered" in captured.err
    assert "what the server said" in captured.err


def test_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that no benchmark has is an error of the arguments, which lists the names."""
    with pytest.raises(SystemExit) as ended:
        run.main(["fast"])
    assert ended.value.code == 2
    assert "slow" in capsys.readouterr().err
