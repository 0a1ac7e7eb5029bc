"""Files that a verb makes, on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz.cli.placing import Taken, write


def test_all_or_nothing(tmp_path: Path) -> None:
    """Folders are made; where one file would be overwritten none is written, and the error names it."""
    assert write({"b/c": b"1", "a": b"2"}, tmp_path / "new", force=False) == ("a", "b/c")
    with pytest.raises(Taken, match=r"^a$"):
        write({"a": b"3", "z": b"4"}, tmp_path / "new", force=False)
    assert (tmp_path / "new/a").read_bytes() == b"2"
    assert not (tmp_path / "new/z").exists()
    write({"a": b"3"}, tmp_path / "new", force=True)
    assert (tmp_path / "new/a").read_bytes() == b"3"
