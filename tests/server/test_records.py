"""Records where they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from authz.server import records
from authz.server.records import UnreadableError, read, stretches
from tests.cli.replay.conftest import written_in

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Write a log of a few requests."""
    return written_in(tmp_path)


@pytest.mark.parametrize("size", [1, 500, 2_000, 10_000])
def test_stretches_hold_every_line_once(log: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However a log is cut: each record is in one stretch, whole."""
    monkeypatch.setattr(records, "STRETCH", size)
    parts = stretches(log)
    assert [record.id for part in parts for record in read(part)] == [f"d-{number}" for number in range(6)]
    assert sum(part.size for part in parts) == log.stat().st_size


def test_lines_of_the_log_are_none(log: Path) -> None:
    """What a container writes is kept as one; anything else that is no record is told, with its line."""
    told = b'{"time": "2026-11-30T11:07:05.588Z", "level": "info", "message": "serving", "worker": 1}\n'
    log.write_bytes(told + log.read_bytes() + told)
    assert [record.id for record in read(stretches(log)[0])] == [f"d-{number}" for number in range(6)]
    log.write_bytes(log.read_bytes() + b'{"level": "info"}\n')
    with pytest.raises(UnreadableError, match=r"line 11: no record: .*`format`"):
        list(read(stretches(log)[0]))


def test_parquet_says_the_same_as_json_lines(log: Path, tmp_path: Path) -> None:
    """What DuckDB made of a log is the log, with nested values as texts of JSON."""
    duckdb = pytest.importorskip("duckdb")
    file = tmp_path / "decisions.parquet"
    duckdb.sql(f"COPY (FROM read_json('{log}', maximum_depth = 1)) TO '{file}'")
    (part,), (whole,) = stretches(file), stretches(log)
    found, kept = ([msgspec.structs.replace(each, time="") for each in read(each)] for each in (part, whole))
    assert msgspec.json.encode(found) == msgspec.json.encode(kept)


def test_parquet_that_cannot_tell_absent_from_null_is_refused(log: Path, tmp_path: Path) -> None:
    """A struct has every key in every row; the message says how to make a file that will do."""
    duckdb = pytest.importorskip("duckdb")
    file = tmp_path / "decisions.parquet"
    duckdb.sql(f"COPY (FROM read_json('{log}', columns = {{reads: 'STRUCT(a VARCHAR)'}})) TO '{file}'")
    with pytest.raises(UnreadableError, match="maximum_depth = 1"):
        list(read(stretches(file)[0]))


def test_what_is_no_parquet_is_told(tmp_path: Path) -> None:
    """In one line."""
    pytest.importorskip("duckdb")
    file = tmp_path / "a.parquet"
    file.write_bytes(b"no")
    with pytest.raises(UnreadableError, match=r"can't read .*a\.parquet"):
        list(read(stretches(file)[0]))
