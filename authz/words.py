"""How a number of things is said, in messages for people: `1 file`, `2 files`. Pure."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number and what it counts; `many` is for words that take more than an s."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
