"""Where lines go: standard output, or a file that starts anew when it is full.

A sink writes whole lines and may block; only the recorder's own thread calls it.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

MAX_BYTES = 100 * 1024 * 1024
KEEP = 5
"""Files kept beside the one that is written, at least 1."""


class Sink(Protocol):
    """Takes whole lines."""

    def write(self, lines: bytes, /) -> None:
        """Write all of `lines`; raises `OSError` where that can't be."""

    def close(self) -> None:
        """Let go of what was opened."""


class StdoutSink:
    """Writes to standard output, past Python's buffer: a line is out or it is not.

    Inside `turn` nobody else writes there: of a long text a pipe takes a piece at a time. Raises `OSError` where there
    is no standard output: its number may be any file's by now.
    """

    def __init__(self, descriptor: int | None = None, turn: AbstractContextManager[object] | None = None) -> None:
        self._descriptor = _stdout() if descriptor is None else descriptor
        self._turn = turn or nullcontext()

    def write(self, lines: bytes) -> None:
        """Write all of `lines`, however many calls the pipe needs."""
        with self._turn:
            _write_all(self._descriptor, lines)

    def close(self) -> None:
        """Leave standard output open: it is not ours."""


class FileSink:
    """Appends to a file (mode 0600); at `max_bytes` it becomes `.1`, the old `.1` becomes `.2`, and so on to `keep`.

    A device or a pipe is written to and stays where it is: its name belongs to every program.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES, keep: int = KEEP) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._open()

    def write(self, lines: bytes) -> None:
        """Append `lines`, first turning the file over where they would not fit."""
        if self._is_file and self._size and self._size + len(lines) > self._max_bytes:
            self._turn_over()
        try:
            _write_all(self._descriptor, lines)
        except OSError:
            if self._is_file:
                os.ftruncate(self._descriptor, self._size)  # a line that is half there would spoil the next one
            raise
        self._size += len(lines)

    def close(self) -> None:
        """Close the file; what was written is on its way to the disk."""
        os.close(self._descriptor)

    def _open(self) -> None:
        self._descriptor = _opened(self._path)
        status = os.fstat(self._descriptor)
        self._is_file, self._size = stat.S_ISREG(status.st_mode), status.st_size
        if self._size and not self._ends_whole():
            self._size += os.write(self._descriptor, b"\n")

    def _ends_whole(self) -> bool:
        """Say whether the file ends with the end of a line: a process that was killed may have left half of one."""
        with self._path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() == b"\n"

    def _turn_over(self) -> None:
        """Begin a file; where that can't be, nothing is closed that is still written to, and nothing moves twice."""
        previous = self._descriptor
        if self._path.exists():
            self._make_room()
        self._open()
        os.close(previous)

    def _make_room(self) -> None:
        for number in range(self._keep - 1, -1, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path


def _opened(path: Path) -> int:
    """Open a file, or a pipe that somebody reads: until one comes, opening it would wait, and so would we."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK, 0o600)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "nobody reads this pipe", str(path)) from None
        raise
    os.set_blocking(descriptor, True)
    return descriptor


def _stdout() -> int:
    if sys.stdout is None:
        raise OSError(errno.EBADF, "it is closed")
    return sys.stdout.fileno()


def _write_all(descriptor: int, lines: bytes) -> None:
    left = memoryview(lines)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:  # whoever shares a terminal or a pipe with us may have told it not to wait
            _await(descriptor)


def _await(descriptor: int) -> None:
    """Wait until something more can be written."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    poll.poll()


def open_sink(name: str, turn: AbstractContextManager[object] | None = None) -> Sink:
    """Open the sink a setting names: `stdout`, or the path of a file; `turn` is for what others write to as well."""
    return StdoutSink(turn=turn) if name == "stdout" else FileSink(Path(name))
