"""What policies are said to be beside what is wrong with them: notes, which change no exit code. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from authz.policy import ListedEntry
    from authz.store import Provenance

SHOWN = 20
"""Entries that are told one by one."""


def ending(entries: Sequence[ListedEntry], now: float) -> Iterator[str]:
    """Yield a note for each entry of data that ends: whether it still counts, until when, why, by whose ticket."""
    for entry in entries[:SHOWN]:
        moment = f"{datetime.fromtimestamp(entry.until, UTC):%Y-%m-%dT%H:%M:%SZ}"
        state = f"counts until {moment}" if entry.until > now else f"ended {moment} and can be removed"
        key = f"[{json.dumps(entry.key)}]" if entry.key else ""
        why = ", ".join(filter(None, (entry.reason, entry.ticket)))
        told = f"note: {entry.file}: data.{entry.data}{key}: {json.dumps(entry.value)} {state}"
        yield f"{told} ({why})" if why else told
    if entries[SHOWN:]:
        over = sum(entry.until <= now for entry in entries)
        yield f"note: of {len(entries)} entries of data that end, {over} have ended"


def origins(provenances: Mapping[str, Provenance]) -> Iterator[str]:
    """Yield a note for each folder whose commit is known."""
    for folder, one in provenances.items():
        about = ", ".join(filter(None, (one.author, one.date)))
        dirty = ", and files that differ from it" if one.dirty else ""
        yield f"note: {folder}: commit {one.commit}" + (f" ({about})" if about else "") + dirty
