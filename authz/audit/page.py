"""Lines one behind the other, in memory that is used again and again: fresh memory costs more than the copy."""

from __future__ import annotations

from typing import Final

ROOM = 262_144
"""Bytes of a page: some two hundred records. Four times as much in one write costs the system a third less."""

LINE_END: Final = 0x0A


class Page:
    """Holds whole lines; `count` says how many. Not for two threads at once."""

    def __init__(self, room: int = ROOM) -> None:
        self._memory = bytearray(room)
        self._size = 0
        self.count = 0

    def take(self, line: bytes) -> bool:
        """Add a line, and the end of it, if there is room."""
        size = self._size
        end = size + len(line)
        if end >= len(self._memory):
            return False
        self._memory[size:end] = line
        self._memory[end] = LINE_END
        self._size = end + 1
        self.count += 1
        return True

    def lines(self) -> memoryview:
        """Return what was taken, for as long as nothing more is."""
        return memoryview(self._memory)[: self._size]

    def cleared(self) -> Page:
        """Return the page, with room for other lines; one that was made for a long line has its usual size again."""
        self._size = self.count = 0
        return self if len(self._memory) == ROOM else Page()
