"""How messages for people are worded: a number of things, and text that came from elsewhere.

Pure, and below everything: faults use it too. What a message says is not said here.
"""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number and what it counts; `many` is for words that take more than an s."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def printable(text: str) -> str:
    """Return a text without what could speak to a terminal or end a line, each character in its column."""
    return "".join(char if char.isprintable() else "�" for char in text)
