"""`authz audit verify`, as from a shell."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from authz.audit import FileSink, resumed
from authz.cli.output import Exit
from authz.server.secret import key_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Write ten records that are rotated twice and more, keyed."""
    (tmp_path / "key").write_text("a secret\n")
    path = tmp_path / "decisions.jsonl"
    chain, sink = resumed(path, key_in(tmp_path / "key")), FileSink(path, max_bytes=700, keep=9)
    for number in range(10):
        lines, chain.last = chain.linked(b'{"id":"%d"}\n' % number)
        sink.write(lines)
    sink.close()
    return path


def verified(run: Callable[..., Any], log: Path, *flags: str) -> tuple[int, Any]:
    """Run `authz audit verify` and return its exit code and what it says as data."""
    ran = run("audit", "verify", str(log), "--key-file", str(log.parent / "key"), "--output", "json", *flags)
    return ran.status, json.loads(ran.out)


def test_files_that_were_rotated_are_read_first(run: Callable[..., Any], log: Path) -> None:
    """All of them are one chain, also where one was compressed since; `--last` holds its end."""
    oldest = max(log.parent.glob("decisions.jsonl.*"))
    oldest.with_name(f"{oldest.name}.gz").write_bytes(gzip.compress(oldest.read_bytes()))
    oldest.unlink()
    status, found = verified(run, log)
    assert (status, found["records"], found["wrong"], found["first"]) == (0, 10, None, "0" * 64)
    assert verified(run, log, "--last", found["last"])[0] == 0
    assert verified(run, log, "--last", "0" * 64)[1]["wrong"]["what"] == "truncated"


def test_what_is_wrong_has_its_file_and_line(run: Callable[..., Any], log: Path) -> None:
    """The second line of a file in the middle, and exit 1."""
    file = log.with_name("decisions.jsonl.2")
    first, second, *rest = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([first, second.replace(b'"id":"', b'"id":"9'), *rest]))
    ran = run("audit", "verify", str(log), "--key-file", str(log.parent / "key"))
    assert ran.status == 1
    assert ran.out.startswith(f"{file}:2: the record is not what was written")
    assert "\n1 record before it is good, the last is " in ran.out


def test_what_was_rotated_away_for_good_is_said(run: Callable[..., Any], log: Path) -> None:
    """A chain that goes on from a file that is gone is whole as far as it is here."""
    max(log.parent.glob("decisions.jsonl.*")).unlink()
    ran = run("audit", "verify", str(log), "--key-file", str(log.parent / "key"))
    assert ran.status == 0
    assert "what was before it is not here" in ran.out


def test_without_the_key_nothing_is_good(run: Callable[..., Any], log: Path, tmp_path: Path) -> None:
    """And a file that is not there, or an empty key, is one line."""
    assert run("audit", "verify", str(log)).status == 1
    ran = run("audit", "verify", str(tmp_path / "none"))
    assert ran.status == Exit.ARGUMENTS
    assert "none' does not exist" in ran.err
    (tmp_path / "key").write_text("")
    assert "it is empty" in run("audit", "verify", str(log), "--key-file", str(tmp_path / "key")).err


def test_records_that_are_in_no_chain_are_not_taken_for_good(run: Callable[..., Any], tmp_path: Path) -> None:
    """A log without hashes proves nothing."""
    (tmp_path / "log").write_text('{"id":"1"}\n')
    ran = run("audit", "verify", str(tmp_path / "log"))
    assert (ran.status, "in no chain" in ran.out) == (1, True)


def test_a_log_of_nothing_proves_nothing(run: Callable[..., Any], tmp_path: Path) -> None:
    """It may have been emptied; there is no line to point at."""
    (tmp_path / "log").touch()
    ran = run("audit", "verify", str(tmp_path / "log"))
    assert (ran.status, ran.out) == (1, f"{tmp_path}/log: has no record\n0 records are good\n")
