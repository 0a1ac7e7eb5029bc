"""User names and passwords (HTTP Basic, RFC 7617), known by hashes that are slow on purpose.

A hash takes tens of milliseconds, so this is asked on threads of its own (`inquiries`) and never by the thread that
decides. A user nobody has heard of costs what a real one does, so that time does not tell who is one. What can't be a
user name and password is refused before anything is computed: length, encoding, control characters.
"""

from __future__ import annotations

import base64
import hashlib
import math
import os
import secrets
import threading
import unicodedata
from contextlib import suppress
from typing import TYPE_CHECKING

from authz.identity.claims import Said
from authz.identity.credentials import InvalidCredential
from authz.identity.holders import Holder

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORTEST, LONGEST = 8, 256
"""Characters of a password that is made, and bytes of one that is read."""

LONGEST_USER = 512
"""Bytes of a user name: 128 characters of any alphabet."""

BCRYPT_READS = 72
"""Bytes of a password that bcrypt looks at; what is longer is refused rather than cut."""

THREADS = 2
"""Hashes computed at once, per provider: more would starve the thread that decides."""

NICE = 10
"""How far the threads that compute hashes stand back: a flood of guesses must not slow what is decided beside it."""

EXTRA = "passwords need the extra: pip install 'envoy-cel-authz[passwords]'"


class User(Holder, frozen=True, kw_only=True):
    """One user; `id` is the name they log in with, `hash` is bcrypt's or argon2id's."""

    hash: str


class Passwords:
    """Says who has a user name and password, as an inquiry asks.

    Raises `ModuleNotFoundError` at once where what computes the users' hashes is not installed.
    """

    def __init__(self, provider: str, users: Iterable[User]) -> None:
        self._users = {normal(user.id): user for user in users}
        self._identities = {user.id: user.identity(provider) for user in self._users.values()}
        self._stands_in = tuple(self._users.values())
        self._key = secrets.token_bytes(32)
        for name in {_library(user.hash) for user in self._stands_in}:
            __import__(name)

    def __call__(self, credential: str, now: float, timeout: float) -> Said:  # noqa: ARG002 - a hash can't be cut short
        """Return who has this user name and password; raises `InvalidCredential` where nobody does, or not now."""
        name, password = read(credential)
        known = self._users.get(name)
        user = known or self._stand_in(name)
        good = user is not None and matches(user.hash, password)
        if known is None:
            raise InvalidCredential("nobody has the user name")
        if not good:
            raise InvalidCredential(f"the password of {known.id} is another")
        known.check("password of", now)
        return Said(self._identities[known.id], known.not_before, math.inf if known.expires is None else known.expires)

    def _stand_in(self, name: str) -> User | None:
        """Return whose hash is computed for an unknown user: always the same for one name, as with a known one."""
        if not self._stands_in:
            return None
        digest = hashlib.blake2b(name.encode(), digest_size=8, key=self._key).digest()
        return self._stands_in[int.from_bytes(digest) % len(self._stands_in)]


def read(credential: str) -> tuple[str, bytes]:
    """Return the user name and the password's bytes, both in normal form; raises `InvalidCredential`.

    The first colon ends the name (RFC 7617, section 2); control characters belong in neither.
    """
    try:
        text = base64.b64decode(credential, validate=True).decode()
    except ValueError:  # not base64, not UTF-8
        raise InvalidCredential("the user name and password are no base64 of UTF-8") from None
    name, colon, password = text.partition(":")
    content = normal(password).encode()
    if not name or not colon or not password or any(unicodedata.category(letter) == "Cc" for letter in text):
        raise InvalidCredential("not a user name, a colon and a password")
    if len(name.encode()) > LONGEST_USER or len(content) > LONGEST:
        raise InvalidCredential("a longer user name or password than any of ours")
    return normal(name), content


def normal(text: str) -> str:
    """Return a text with its characters composed (NFC; RFC 8265): one password, whatever keyboard typed it."""
    return unicodedata.normalize("NFC", text)


def matches(kept: str, password: bytes) -> bool:
    """Say whether a hash is this password's; a password too long for bcrypt costs the same and is another."""
    if _library(kept) == "bcrypt":
        import bcrypt  # noqa: PLC0415 - an extra

        same = bcrypt.checkpw(password[:BCRYPT_READS], kept.encode())
        return same and len(password) <= BCRYPT_READS
    from argon2 import PasswordHasher  # noqa: PLC0415 - an extra
    from argon2.exceptions import VerifyMismatchError  # noqa: PLC0415 - as above

    try:
        return PasswordHasher().verify(kept, password)
    except VerifyMismatchError:  # what else it raises is a fault of ours: no memory left
        return False


def give_way() -> None:
    """Have this thread compute only when others have nothing to do, as far as the system knows threads (Linux)."""
    with suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def hashed(password: str) -> str:
    """Return the hash to keep of a new password: argon2id as OWASP advises; raises `ModuleNotFoundError`."""
    from argon2 import PasswordHasher  # noqa: PLC0415 - an extra

    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(normal(password))


def _library(kept: str) -> str:
    return "bcrypt" if kept.startswith("$2") else "argon2"
