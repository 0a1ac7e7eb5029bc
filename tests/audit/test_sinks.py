"""Lines arrive whole, in order, and old ones make room."""

from __future__ import annotations

import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from authz.audit.sinks import FileSink, StdoutSink, open_sink

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """Records name people: the file is 0600."""
    FileSink(tmp_path / "log").close()
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600


def test_a_full_file_turns_over(tmp_path: Path) -> None:
    """At the bound the file becomes `.1`, `.1` becomes `.2`, and what is past `keep` goes."""
    sink = FileSink(tmp_path / "log", max_bytes=4, keep=2)
    for line in (b"one\n", b"two\n", b"six\n", b"ten\n"):
        sink.write(line)
    sink.close()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "log": b"ten\n", "log.1": b"six\n", "log.2": b"two\n",
    }  # fmt: skip


def test_a_file_that_cannot_be_begun_costs_neither_those_before_nor_another_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many open files: writes fail and are tried anew, old records stay, and what is written to stays ours.

    A descriptor that was closed is somebody else's next connection: records would be written to it.
    """
    sink = FileSink(tmp_path / "log", max_bytes=4, keep=2)
    sink.write(b"one\n")
    sink.write(b"two\n")

    def refuses(*_: object) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("os.open", refuses)
    for _ in range(3):
        with pytest.raises(OSError, match="Too many"):
            sink.write(b"six\n")
    monkeypatch.undo()
    read, write = os.pipe()
    sink.write(b"ten\n")
    sink.close()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "log": b"ten\n", "log.1": b"two\n", "log.2": b"one\n",
    }  # fmt: skip
    os.close(write)
    assert os.read(read, 1) == b""
    os.close(read)


def test_what_is_no_file_is_never_renamed(tmp_path: Path) -> None:
    """A device or a pipe (`/dev/null`, `/dev/stderr`, a FIFO) has no end: it would be gone for every other program."""
    os.mkfifo(tmp_path / "log")
    reader = os.open(tmp_path / "log", os.O_RDONLY | os.O_NONBLOCK)
    sink = FileSink(tmp_path / "log", max_bytes=4)
    for line in (b"one\n", b"two\n"):
        sink.write(line)
    assert os.read(reader, 100) == b"one\ntwo\n"
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        sink.write(b"six\n")
    sink.close()


def test_a_pipe_that_nobody_reads_is_an_error(tmp_path: Path) -> None:
    """Whoever starts the service is told, and is not left to wait for a reader without a word."""
    os.mkfifo(tmp_path / "log")
    with pytest.raises(OSError, match="nobody reads this pipe"):
        FileSink(tmp_path / "log")


def test_a_file_goes_on_where_it_ended(tmp_path: Path) -> None:
    """A restart appends, and counts what is there against the bound."""
    for line in (b"one\n", b"two\n", b"six\n"):
        sink = FileSink(tmp_path / "log", max_bytes=8)
        sink.write(line)
        sink.close()
    assert (tmp_path / "log.1").read_bytes() == b"one\ntwo\n"
    assert (tmp_path / "log").read_bytes() == b"six\n"


def test_standard_output_gets_all_of_a_long_batch() -> None:
    """A pipe takes what it can; the sink goes on until all is out."""
    read, write = os.pipe()
    batch = b"x" * 30_000 + b"\n"
    StdoutSink(write).write(batch)
    os.close(write)
    with os.fdopen(read, "rb") as reader:
        assert reader.read() == batch


def test_a_pipe_that_does_not_wait_still_gets_all() -> None:
    """A program that shares our standard output may set it not to block: no line is cut off for that."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    batch = b"x" * 300_000 + b"\n"
    writer = threading.Thread(target=StdoutSink(write).write, args=(batch,))
    writer.start()
    with os.fdopen(read, "rb") as reader:
        assert reader.read(len(batch)) == batch
    writer.join(10)
    os.close(write)


def test_standard_output_that_is_closed_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """`authz serve >&-`: the next file that is opened has its number, and must not get records."""
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(OSError, match="it is closed"):
        StdoutSink()


def test_a_setting_names_the_sink(tmp_path: Path) -> None:
    """`stdout` is standard output, anything else a path."""
    sink = open_sink(str(tmp_path / "log"))
    assert isinstance(sink, FileSink)
    sink.close()


def test_a_line_begins_anew_after_one_that_was_cut_off(tmp_path: Path) -> None:
    """A process that was killed may leave half a line; the next record is not glued to it."""
    (tmp_path / "log").write_bytes(b"one\nha")
    sink = FileSink(tmp_path / "log")
    sink.write(b"two\n")
    sink.close()
    assert (tmp_path / "log").read_bytes() == b"one\nha\ntwo\n"


def test_a_write_that_fails_leaves_no_half_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full takes a part of a text: that part is taken back."""
    sink = FileSink(tmp_path / "log")
    sink.write(b"one\n")
    write, full = os.write, OSError(28, "No space left on device")

    def fills(descriptor: int, data: bytes) -> int:
        if len(data) == 1:
            raise full
        return write(descriptor, data[:-1])

    monkeypatch.setattr("os.write", fills)
    with pytest.raises(OSError, match="No space"):
        sink.write(b"two\n")
    monkeypatch.undo()
    sink.write(b"six\n")
    sink.close()
    assert (tmp_path / "log").read_bytes() == b"one\nsix\n"
