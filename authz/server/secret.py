"""Secrets that settings name by file, and what becomes of one before it keys anything."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from authz.errors import Unavailable
from authz.files import whole

if TYPE_CHECKING:
    from pathlib import Path


def key_in(file: Path) -> bytes:
    """Return the key that the secret in a file makes.

    One that can't be read, or is empty and would key nothing, raises `Unavailable`.
    """
    try:
        secret = whole(file).strip()
    except OSError as error:
        raise Unavailable(f"can't read {file}: {error.strerror}") from error
    if not secret:
        raise Unavailable(f"can't use {file}: it is empty")
    return sha256(secret).digest()
