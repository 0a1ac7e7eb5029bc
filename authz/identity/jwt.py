"""Verifying a JSON Web Token (RFC 7519, RFC 8725): signature first, then what it says (see `claims`).

Algorithms come from the policy and from the key. The header chooses a key by `kid` and nothing more: headers that
bring a key or name an extension are refused, and so are tokens that say they are of another kind. A verified token is
remembered by digest until it expires; its times are looked at on every use.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from authz.identity.claims import ClaimRules, Said, understand
from authz.identity.credentials import InvalidCredential
from authz.identity.strict import read_object

if TYPE_CHECKING:
    from authz.identity.keys import KeySet
    from authz.model import Identity

REMEMBERED = 10_000
"""Verified tokens kept per provider."""

MOST_CANDIDATES = 8
"""Keys tried for a token that names none."""

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
_OTHER_KINDS = frozenset(
    {"logout+jwt", "secevent+jwt", "dpop+jwt", "token-introspection+jwt", "oauth-authz-req+jwt", "kb+jwt"}
)
"""Kinds of tokens (RFC 8725, section 3.11) that an issuer signs with the same keys, and that let nobody in."""

_REFUSED_HEADERS = frozenset({"crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc"})


class Keys(Protocol):
    """Where a verifier's keys come from."""

    def current(self, now: float) -> KeySet:
        """Return the keys in force; raises `Unavailable` where there are none, or none fresh enough."""

    def unknown(self, kid: str, now: float) -> None:
        """Take note that a token names a key we do not have."""


class StaticKeys:
    """Keys that are there for good: those of a file, which is read with the policies."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    def current(self, now: float) -> KeySet:  # noqa: ARG002 - these never age
        """Return the keys."""
        return self._keys

    def unknown(self, kid: str, now: float) -> None:
        """Nobody else has any."""


class JwtRules(ClaimRules, frozen=True, kw_only=True):
    """What a token must be."""

    algorithms: tuple[str, ...]


class _Verified(msgspec.Struct, frozen=True):
    """A token that was verified with these keys, and what it says."""

    keys: KeySet
    said: Said


class Verifier:
    """Turns tokens of one issuer into identities."""

    def __init__(self, provider: str, rules: JwtRules, keys: Keys) -> None:
        self._provider = provider
        self._rules = rules
        self._keys = keys
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()

    def verify(self, token: str, now: float) -> Identity:
        """Return who the token proves; raises `InvalidCredential`, or `Unavailable` where there are no keys."""
        keys = self._keys.current(now)
        digest = hashlib.sha256(token.encode()).digest()
        known = self._verified.get(digest)
        if known is None or known.keys is not keys:
            known = _Verified(keys, self._read(token, keys, now))
            self._remember(digest, known)
        return known.said.at(now)

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        self._verified[digest] = verified
        if len(self._verified) > REMEMBERED:
            self._verified.popitem(last=False)

    def _read(self, token: str, keys: KeySet, now: float) -> Said:
        header, payload, signature = _split(token)
        fields = _object(header, "header")
        self._verify_signature(fields, f"{header}.{payload}".encode(), _decode(signature), keys, now)
        return understand(self._provider, self._rules, _object(payload, "payload"))

    def _verify_signature(
        self, fields: dict[str, Any], message: bytes, signature: bytes, keys: KeySet, now: float
    ) -> None:
        refused = _REFUSED_HEADERS & fields.keys()
        if refused:
            raise InvalidCredential(f"the token's header has {min(refused)!r}")
        if _kind(fields.get("typ")) in _OTHER_KINDS:
            raise InvalidCredential("the token is of another kind, and lets nobody in")
        algorithm, kid = fields.get("alg"), fields.get("kid")
        if algorithm not in self._rules.algorithms:
            raise InvalidCredential("the token's algorithm is not one of the provider's")
        if kid is not None and not isinstance(kid, str):
            raise InvalidCredential("the token's kid is no text")
        candidates = keys.candidates(kid, algorithm)[:MOST_CANDIDATES]
        if not candidates and kid is not None:
            self._keys.unknown(kid, now)
        if not any(key.verifies(algorithm, message, signature) for key in candidates):
            raise InvalidCredential("no key of the provider has signed the token")


def issuer_of(token: str) -> object:
    """Return what a token claims as its issuer: to choose who verifies it, and for nothing else."""
    return _object(_split(token)[1], "payload").get("iss")


def _kind(written: object) -> str:
    """Return what a token says it is: a media type in any case, without `application/` (RFC 7515, section 4.1.9)."""
    return written.lower().removeprefix("application/") if isinstance(written, str) else ""


def _split(token: str) -> tuple[str, str, str]:
    parts = token.split(".", 3)
    if len(parts) != 3 or not all(map(_SEGMENT.fullmatch, parts)):
        raise InvalidCredential("not a signed token in compact form")
    return parts[0], parts[1], parts[2]


def _decode(segment: str) -> bytes:
    """Decode base64url without padding (RFC 7515, section 2), refusing a second spelling of the same bytes."""
    try:
        decoded = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError:
        raise InvalidCredential("the token is no base64url") from None
    if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != segment:
        raise InvalidCredential("the token is no base64url")
    return decoded


def _object(segment: str, part: str) -> dict[str, Any]:
    try:
        return read_object(_decode(segment))
    except (ValueError, RecursionError):
        raise InvalidCredential(f"the token's {part} is no JSON object that reads one way") from None
