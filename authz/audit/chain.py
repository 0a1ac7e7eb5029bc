"""Records in a chain: each line carries the hash of the one before it and its own, so that none can be changed unseen.

A line's hash is SHA-256 of the line as it is without its last member, which is that hash: HMAC with a key where there
is one. Without a key, who can write the file can make a chain of their own from any line on; only a last hash that is
kept elsewhere tells (`verify`). With one, nobody can who does not have it. No I/O.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

START = "0" * 64
"""What the first record of a chain follows."""

_PURPOSE = b"authz.record chain"
_LINKED = re.compile(rb'(.*,"previous":"([0-9a-f]{64})"),"hash":"([0-9a-f]{64})"\}\Z', re.DOTALL)


class Chain:
    """Links lines to those before; `last` is the hash of the latest that was kept, `secret` keys the hashes."""

    def __init__(self, last: str = START, secret: bytes = b"") -> None:
        self.last = last
        self._key = key_of(secret)

    def linked(self, lines: bytes) -> tuple[bytes, str]:
        """Return whole lines of JSON objects, linked, and the last hash, which is to be kept once they are written."""
        last = self.last
        found: list[bytes] = []
        for line in lines.split(b"\n")[:-1]:
            body = b'%b,"previous":"%b"' % (line[:-1], last.encode())
            last = _hash(self._key, body)
            found.append(b'%b,"hash":"%b"}\n' % (body, last.encode()))
        return b"".join(found), last


class Wrong(StrEnum):
    """How a chain is broken."""

    TORN = "the line is cut off, or is no record"
    UNCHAINED = "the record is in no chain"
    CHANGED = "the record is not what was written (or was hashed with another key)"
    MISSING = "it does not follow the record before it: records are missing, or it was put in"
    REORDERED = "the record does not stand where it was written"
    TRUNCATED = "records after it are missing: the last hash is another"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What came of looking at a chain.

    `records` were good, up to the one that is `wrong`, if any; `line` is its number, from 1. `first` is what the chain
    follows, `START` for one that is whole; `before` counts lines before the chain began.
    """

    records: int
    before: int
    first: str
    last: str
    wrong: Wrong | None = None
    line: int = 0


def verify(lines: Iterable[bytes], secret: bytes = b"", *, last: str = "") -> Verdict:
    """Look at lines, each with its end, in the order in which they were written; `last` is the hash to end with.

    Behind lines that are in no chain one can only begin: where it goes on, records have lost their links with what was
    written of them.
    """
    key, rest = key_of(secret), iter(lines)
    records = before = number = 0
    first = known = ""
    for number, line in enumerate(rest, 1):
        link = _LINKED.fullmatch(line.removesuffix(b"\n"))
        if link is None and not records and _is_whole(line):
            before += 1
            continue
        wrong = _wrong(line, link, known or (START if before else ""), key, rest)
        if wrong is not None or link is None:
            return Verdict(records=records, before=before, first=first, last=known, wrong=wrong, line=number)
        first = first or link[2].decode()
        known = link[3].decode()
        records += 1
    wrong = Wrong.UNCHAINED if not records else Wrong.TRUNCATED if last not in {"", known} else None
    return Verdict(records=records, before=before, first=first, last=known, wrong=wrong, line=number if wrong else 0)


def last_hash(lines: Iterable[bytes]) -> str:
    """Return the hash of the last whole record of a file that is to be gone on with, `START` where there is none."""
    found = START
    for line in lines:
        link = _LINKED.fullmatch(line.removesuffix(b"\n")) if line.endswith(b"\n") else None
        found = link[3].decode() if link is not None else found
    return found


def key_of(secret: bytes) -> bytes:
    """Return the key that hashes are made with; it is no other's, though the secret may be used elsewhere."""
    return hmac.digest(secret, _PURPOSE, "sha256") if secret else b""


def _wrong(line: bytes, link: re.Match[bytes] | None, known: str, key: bytes, rest: Iterable[bytes]) -> Wrong | None:
    """Return what is wrong with a line that should follow a hash; `rest` are the lines after it."""
    if link is None:
        return Wrong.UNCHAINED if _is_whole(line) else Wrong.TORN
    if not line.endswith(b"\n"):
        return Wrong.TORN
    if not hmac.compare_digest(_hash(key, link[1]), link[3].decode()):
        return Wrong.CHANGED
    if known and link[2].decode() != known:
        wanted = b'"hash":"%b"}\n' % link[2]
        return Wrong.REORDERED if any(each.endswith(wanted) for each in rest) else Wrong.MISSING
    return None


def _is_whole(line: bytes) -> bool:
    return line.endswith(b"}\n")


def _hash(key: bytes, body: bytes) -> str:
    return hmac.digest(key, body, "sha256").hex() if key else hashlib.sha256(body).hexdigest()
