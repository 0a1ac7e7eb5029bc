"""Where policies come from: the commit they were taken from, who made it and when, and whether they are what it holds.

A checkout says it itself (`checkout`). What is copied out of one, such as a ConfigMap, carries it along: the file
`.provenance.json` at the top of the folder, written when it was copied (`authz provenance`). It is for people and
records and never changes a decision; one that is not what it should be is a fault all the same, for a record that names
a wrong commit is worse than none. No I/O.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE = ".provenance.json"

_COMMIT = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:/@+-]{0,127}")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\uffff]")
LONGEST = 200
"""Characters of an author's name that are kept."""


class Provenance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of one folder. `date` is when the commit was made (RFC 3339); `dirty` says that files differ."""

    commit: str
    author: str = ""
    date: str = ""
    dirty: bool = False

    @property
    def label(self) -> str:
        """Return it in a word, as `git describe` would."""
        return f"{self.commit}-dirty" if self.dirty else self.commit


def parsed(content: bytes) -> Provenance:
    """Read a file; raise `ValueError` where it is none."""
    try:
        found = msgspec.json.decode(content, type=Provenance)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"is no provenance: {error}") from None
    if not _COMMIT.fullmatch(found.commit):
        raise ValueError("is no provenance: the commit is no name of one")
    return made(found.commit, found.author, found.date, dirty=found.dirty)


def made(commit: str, author: str, date: str, *, dirty: bool) -> Provenance:
    """Return a provenance that can be shown anywhere; raise `ValueError` for a date that is none."""
    return Provenance(
        commit=commit, author=_UNPRINTABLE.sub("", author)[:LONGEST], date=_moment(date) if date else "", dirty=dirty
    )


def written(provenance: Provenance) -> bytes:
    """Write the file."""
    return msgspec.json.format(msgspec.json.encode(provenance), indent=2) + b"\n"


def label(provenances: Iterable[Provenance]) -> str:
    """Return the commits of all folders in a word: each once, in order."""
    return ",".join(dict.fromkeys(each.label for each in provenances))


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is no provenance: the date is none (write 2026-11-23T12:00:00Z)") from None
    if moment.tzinfo is None:
        raise ValueError("is no provenance: the date has no time zone (write 2026-11-23T12:00:00Z)")
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
