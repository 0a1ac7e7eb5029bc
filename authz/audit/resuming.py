"""Where a chain of records goes on after a restart: behind the last whole record of the file, or of the one before."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from authz.audit.chain import START, Chain, last_hash

if TYPE_CHECKING:
    from pathlib import Path

_TAIL = 2 * 2**20
"""Bytes at the end of a file that hold at least one whole record."""


def resumed(path: Path, secret: bytes = b"") -> Chain:
    """Return the chain of a file that records are appended to; raises `OSError` where it can't be read."""
    for file in (path, path.with_name(f"{path.name}.1")):
        if (last := _last(file)) != START:
            return Chain(last, secret)
    return Chain(START, secret)


def _last(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(-min(_TAIL, os.fstat(file.fileno()).st_size), os.SEEK_END)
            return last_hash(file)
    except FileNotFoundError:
        return START
