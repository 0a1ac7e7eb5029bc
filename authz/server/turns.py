"""Workers write to one standard output and take turns at it: a pipe takes a long text piece by piece, others' between.

What they take turns by is a file in memory that the supervisor makes and each worker gets as its standard input. The
lock on it is a process's (fcntl(2)): it is free again when the process ends, however that comes about.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

STDIN = 0


def turns() -> int:
    """Make what workers take turns by, and return its descriptor."""
    return os.memfd_create("authz-turns")


class Turn:
    """A worker's turn: inside it no other worker writes. Who can't have one writes all the same."""

    def __init__(self, descriptor: int = STDIN) -> None:
        self._descriptor = descriptor

    def __enter__(self) -> None:
        """Wait for the turn."""
        with suppress(OSError):
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let the next worker write."""
        with suppress(OSError):
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN)
