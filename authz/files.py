"""A file that settings or a command line name, read whole: within bounds of size and of time.

A path is anybody's typing. What it names may be endless (`/dev/zero`), or a pipe that nobody writes to, and a process
that waits for one says nothing and does nothing. Pipes as such are welcome: a shell's `<(...)` is one.
"""

from __future__ import annotations

import errno
import os
import select
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

MOST = 64 * 2**20
"""Bytes of a file; the most that policies may have together, unless told otherwise."""

PATIENCE = 5.0
"""Seconds for which a pipe may hold nothing new."""

_PIECE = 2**20


def whole(path: Path, most: int = MOST) -> bytes:
    """Return what a file holds; raise `OSError` also for more than `most` bytes, and for a pipe that stays silent."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return _joined(_pieces(descriptor, path), most, str(path))
    finally:
        os.close(descriptor)


def streamed(stream: BinaryIO, name: str) -> bytes:
    """Return what comes of a stream until its end, however long that takes; raise `OSError` for more than `MOST`."""
    return _joined(iter(partial(stream.read, _PIECE), b""), MOST, name)


def _joined(pieces: Iterator[bytes], most: int, name: str) -> bytes:
    joined = bytearray()
    for piece in pieces:
        joined += piece
        if len(joined) > most:
            raise OSError(errno.EFBIG, f"more than {most >> 20} MiB are not read", name)
    return bytes(joined)


def _pieces(descriptor: int, path: Path) -> Iterator[bytes]:
    ready = select.poll()
    ready.register(descriptor, select.POLLIN)
    while ready.poll(PATIENCE * 1000):
        piece = os.read(descriptor, _PIECE)
        if not piece:
            return
        yield piece
    raise OSError(errno.ETIMEDOUT, f"nobody has written to this pipe for {PATIENCE:g} seconds", str(path))
