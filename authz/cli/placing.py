"""Files that a verb makes, on disk: all of them or none, and nothing that is there already unless that is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Taken(Exception):
    """Files are there already, with other contents."""


def write(contents: Mapping[str, bytes], folder: Path, *, force: bool) -> tuple[str, ...]:
    """Write files into a folder; return their names, raise `Taken` where one would be overwritten."""
    there = sorted(name for name, content in contents.items() if (folder / name).exists() and not force)
    if there:
        raise Taken(", ".join(there))
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tuple(sorted(contents))
