"""Where lines go: standard output, or a file that starts anew when it is full.

A sink writes whole lines and may block; only the recorder's own thread calls it.
"""

from __future__ import annotations

import os
import stat
import sys
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
    """Writes to standard output, past Python's buffer: a line is out or it is not."""

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = sys.stdout.fileno() if descriptor is None else descriptor

    def write(self, lines: bytes) -> None:
        """Write all of `lines`, however many calls the pipe needs."""
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
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
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
        self.close()
        for number in range(self._keep - 1, -1, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        self._open()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path


def _write_all(descriptor: int, lines: bytes) -> None:
    left = memoryview(lines)
    while left:
        left = left[os.write(descriptor, left) :]


def open_sink(name: str) -> Sink:
    """Open the sink a setting names: `stdout`, or the path of a file."""
    return StdoutSink() if name == "stdout" else FileSink(Path(name))
