"""Names for documents and rules that are made of another program's words. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_LONGEST = 63


def named(words: str, otherwise: str) -> str:
    """Return what a policy may call something, as near to some words as it gets."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", words)[:_LONGEST].strip("._-")
    return plain or otherwise


def unique(name: str, taken: Collection[str]) -> str:
    """Return a name that is not taken: itself, or with a number."""
    if name not in taken:
        return name
    return next(each for number in range(2, len(taken) + 3) if (each := f"{name[:58]}-{number}") not in taken)
