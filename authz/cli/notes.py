"""What policies are said to be beside what is wrong with them: notes, which change no exit code. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz.policy import ListedEntry

SHOWN = 20
"""Entries that are told one by one."""


def ending(entries: Sequence[ListedEntry], now: float) -> Iterator[str]:
    """Yield a note for each entry of data that ends: whether it still counts, until when, why, by whose ticket."""
    for entry in entries[:SHOWN]:
        state = "counts until" if entry.until > now else "has ended, and can be removed, since"
        why = ", ".join(filter(None, (entry.reason, entry.ticket)))
        yield f"note: {entry.file}: data.{entry.data}: {entry.value!r} {state} {_moment(entry.until)}" + (
            f" ({why})" if why else ""
        )
    if entries[SHOWN:]:
        over = sum(entry.until <= now for entry in entries)
        yield f"note: of {len(entries)} entries of data that end, {over} have ended"


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
