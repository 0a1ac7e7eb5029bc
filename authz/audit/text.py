"""Texts in records: how long one may be, and what in it must not reach a reader of lines or a terminal as it is."""

from __future__ import annotations

from typing import Final

LONGEST: Final = 512
"""Characters of any one text; the rest is cut and marked."""

CUT_OFF: Final = "…"
"""What a text that was cut ends with."""

DELETE: Final = 0x7F
"""The one byte of ASCII that JSON lets stand and a terminal may obey; looked for as a number, which is a quick look."""

_UNSAFE = str.maketrans(
    {"\u2028": "\\u2028", "\u2029": "\\u2029", "\x7f": "\\u007f"} | {chr(c): f"\\u{c:04x}" for c in range(0x80, 0xA0)}
)


def cut(text: str) -> str:
    """Return a text that has a bound."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}{CUT_OFF}"


def safe(written: bytes) -> bytes:
    """Escape in written JSON what JSON allows and a reader of lines or a terminal may take for more than text."""
    if written.isascii() and DELETE not in written:
        return written
    return written.decode().translate(_UNSAFE).encode()
