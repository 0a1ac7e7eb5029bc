"""API keys: kept as digests, found by digest, never seen again.

A file of entries names who holds which key (POLICY.md, section 6): `id`, the digest (`sha256`, or `hmac_sha256` with a
secret from a file), `subject`, `roles`, `groups`, `scopes`, `not_before`, `expires`, `disabled`. Two entries of one
subject are how a key is rotated. Keys are random and long, so a plain digest can't be guessed back; the digest is
compared in constant time all the same.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from authz.identity.credentials import InvalidCredential
from authz.identity.holders import Holder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from authz.model import Identity


PREFIX = "azk_"
"""What keys begin with, so that scanners of leaked secrets know one when they see it."""


SHORTEST_SECRET = 16
"""Bytes of the secret of HMAC digests."""


def new_key() -> str:
    """Make a key: 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(key: bytes, secret: bytes = b"") -> str:
    """Return what a key is known by: its SHA-256, with a secret its HMAC-SHA-256, in hex."""
    return hmac.digest(secret, key, "sha256").hex() if secret else hashlib.sha256(key).hexdigest()


class Entry(Holder, frozen=True, kw_only=True):
    """One key as it is kept. Digests are lower-case hex."""

    sha256: str | None = None
    hmac_sha256: str | None = None


class KeyUses:
    """When each key was last presented and good, by provider and id; outlives the policies that name them."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], float] = {}

    def note(self, provider: str, key: str, now: float) -> None:
        """Take note of one use."""
        self._seen[provider, key] = now

    def keep(self, keys: Collection[tuple[str, str]]) -> None:
        """Forget every key but these."""
        for gone in self._seen.keys() - set(keys):
            self._seen.pop(gone, None)

    def seen(self) -> Mapping[tuple[str, str], float]:
        """Return the time of the last use of every key that was used: seconds since the epoch."""
        return self._seen.copy()


class ApiKeys:
    """Turns keys into identities. `ids` are those of its entries."""

    def __init__(
        self, provider: str, entries: Iterable[Entry], secret: bytes = b"", uses: KeyUses | None = None
    ) -> None:
        self._provider = provider
        self._uses = uses or KeyUses()
        entries = tuple(entries)
        self.ids = tuple(entry.id for entry in entries)
        self._secret = secret
        self._identities = {entry.id: entry.identity(provider) for entry in entries}
        self._plain = {entry.sha256: entry for entry in entries if entry.sha256 is not None}
        self._keyed = {entry.hmac_sha256: entry for entry in entries if entry.hmac_sha256 is not None}

    def verify(self, key: str, now: float) -> Identity:
        """Return who holds the key; raises `InvalidCredential` where nobody does, or not at this time."""
        entry = self._find(key.encode())
        if entry is None:
            raise InvalidCredential("nobody holds the API key")
        entry.check("API key", now)
        self._uses.note(self._provider, entry.id, now)
        return self._identities[entry.id]

    def _find(self, key: bytes) -> Entry | None:
        found = digest(key)
        entry = self._plain.get(found)
        if entry is not None and hmac.compare_digest(found, entry.sha256 or ""):
            return entry
        if not self._keyed:
            return None
        found = digest(key, self._secret)
        entry = self._keyed.get(found)
        return entry if entry is not None and hmac.compare_digest(found, entry.hmac_sha256 or "") else None
