"""Files that a verb makes, on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz.cli.placing import Taken, exchange, write
from authz.errors import Unavailable


def test_all_or_nothing(tmp_path: Path) -> None:
    """Folders are made; where one file would be overwritten none is written, and the error names it."""
    assert write({"b/c": b"1", "a": b"2"}, tmp_path / "new", force=False) == ("a", "b/c")
    with pytest.raises(Taken, match=r"^a$"):
        write({"a": b"3", "z": b"4"}, tmp_path / "new", force=False)
    assert (tmp_path / "new/a").read_bytes() == b"2"
    assert not (tmp_path / "new/z").exists()
    write({"a": b"3"}, tmp_path / "new", force=True)
    assert (tmp_path / "new/a").read_bytes() == b"3"


def test_what_cannot_be_written_takes_the_rest_with_it(tmp_path: Path) -> None:
    """A disk that is full or a file in the way leaves nothing half made; what was there stays."""
    (tmp_path / "b").write_bytes(b"in the way")
    with pytest.raises(Unavailable, match=f"{tmp_path}/b: can't be written"):
        write({"a": b"1", "b/c": b"2"}, tmp_path, force=False)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"b": b"in the way"}


def test_a_file_is_exchanged_whole_with_its_mode(tmp_path: Path) -> None:
    """Through a link too; where there was none, one is made; nothing is left beside it."""
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "file").chmod(0o640)
    (tmp_path / "link").symlink_to("file")
    exchange(tmp_path / "link", b"new")
    exchange(tmp_path / "other", b"first")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link", "other"]


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    """By the name that was asked for; one to itself stands for no other file, and gives way."""
    (tmp_path / "lost").symlink_to("nowhere/file")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(Unavailable, match=f"{tmp_path}/lost: can't be written"):
        exchange(tmp_path / "lost", b"")
    exchange(tmp_path / "loop", b"new")
    assert (tmp_path / "loop").read_bytes() == b"new"
