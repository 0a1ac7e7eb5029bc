"""Where a chain goes on after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.audit.chain import START, Wrong, verify
from authz.audit.resuming import resumed
from authz.audit.sinks import FileSink

if TYPE_CHECKING:
    from pathlib import Path


def written(path: Path, *ids: str, max_bytes: int = 10_000) -> None:
    """Write records as one life of a process does."""
    chain, sink = resumed(path), FileSink(path, max_bytes=max_bytes)
    for each in ids:
        lines, chain.last = chain.linked(b'{"id":"%b"}\n' % each.encode())
        sink.write(lines)
    sink.close()


def lines(path: Path) -> list[bytes]:
    """Return the lines of a file."""
    return path.read_bytes().splitlines(keepends=True)


def test_a_restart_goes_on(tmp_path: Path) -> None:
    """Records of two lives are one chain."""
    assert resumed(tmp_path / "log").last == START
    written(tmp_path / "log", "0", "1")
    written(tmp_path / "log", "2")
    verdict = verify(lines(tmp_path / "log"))
    assert (verdict.records, verdict.wrong) == (3, None)


def test_files_that_were_rotated_are_one_chain(tmp_path: Path) -> None:
    """Also where the file had just been turned over and is empty."""
    written(tmp_path / "log", "0", "1", max_bytes=200)
    (tmp_path / "log").rename(tmp_path / "log.1")
    written(tmp_path / "log", "2")
    verdict = verify([*lines(tmp_path / "log.1"), *lines(tmp_path / "log")])
    assert (verdict.records, verdict.wrong) == (2, None)
    assert verdict.first != START


def test_half_a_line_of_a_process_that_was_killed_is_told_and_spoils_nothing_else(tmp_path: Path) -> None:
    """The next line begins anew and follows the last whole record."""
    written(tmp_path / "log", "0", "1")
    with (tmp_path / "log").open("ab") as file:
        file.write(b'{"id":"half')
    written(tmp_path / "log", "2")
    found = lines(tmp_path / "log")
    assert (verify(found).wrong, verify(found).line) == (Wrong.TORN, 3)
    assert verify([*found[:2], *found[3:]]).wrong is None
