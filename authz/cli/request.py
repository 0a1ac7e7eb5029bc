"""One request from the command line: its parts, as curl reads them."""

from __future__ import annotations

from pathlib import Path

from authz.files import whole
from authz.testing.asking import Asked, message

__all__ = ["Asked", "content", "header", "message", "target"]


def header(text: str) -> tuple[str, str]:
    """Read `name: value` as curl does; raises `ValueError`."""
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise ValueError(f'"{text}" is no header: write "name: value"')
    return name.strip().lower(), value.strip()


def target(text: str) -> str:
    """Read a URL, or a path alone; raises `ValueError` for what a scheme was forgotten of, or is not HTTP's."""
    if not text.startswith(("http://", "https://", "/", "*")):
        raise ValueError(f'"{text}" is no URL: write https://host/path, or a path alone')
    return text


def content(text: str) -> bytes:
    """Read a body as curl does: the text itself, or the file named behind `@`; raises `OSError`."""
    return whole(Path(text[1:])) if text.startswith("@") else text.encode()
