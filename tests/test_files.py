"""A file that is named is read within bounds."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from authz import files


def test_what_a_file_holds_is_read_whole(tmp_path: Path) -> None:
    """Also of a megabyte and a byte, of nothing, and as much as is allowed."""
    for size in (0, 1, 2**20 + 1):
        (tmp_path / "a").write_bytes(b"x" * size)
        assert len(files.whole(tmp_path / "a", most=2**20 + 1)) == size


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """One byte over the bound, or without an end: memory is taken for no more."""
    (tmp_path / "a").write_bytes(b"x" * (2**20 + 1))
    for path in (tmp_path / "a", Path("/dev/zero")):
        with pytest.raises(OSError, match="more than 1 MiB are not read") as refused:
            files.whole(path, most=2**20)
        assert (refused.value.errno, refused.value.filename) == (errno.EFBIG, str(path))


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one that has no writer, nor one whose writer says nothing more."""
    monkeypatch.setattr(files, "PATIENCE", 0.05)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"nobody has written to this pipe for 0\.05 seconds"):
        files.whole(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    writing = os.open(tmp_path / "pipe", os.O_WRONLY)
    os.write(writing, b"half")
    with pytest.raises(TimeoutError):
        files.whole(tmp_path / "pipe")
    os.close(reading)
    os.close(writing)


def test_a_pipe_that_somebody_writes_to_is_read(tmp_path: Path) -> None:
    """As a shell's `<(...)` is, however late its first byte comes."""
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=[b"y" * 100_000])
    writer.start()
    assert len(files.whole(tmp_path / "pipe")) == 100_000
    writer.join()


def test_what_is_no_file_is_refused_as_ever(tmp_path: Path) -> None:
    """A folder, and what is not there."""
    with pytest.raises(IsADirectoryError):
        files.whole(tmp_path)
    with pytest.raises(FileNotFoundError):
        files.whole(tmp_path / "nowhere")
