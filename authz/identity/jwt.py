"""Verifying a JSON Web Token (RFC 7519, RFC 8725): signature first, then every claim that gives it meaning.

Algorithms come from the policy and from the key. The header chooses a key by `kid` and nothing more: headers that
bring a key or name an extension are refused. A verified token is remembered by digest until it expires; its
times are looked at on every use.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from authz.identity.credentials import InvalidCredential
from authz.identity.strict import read_object
from authz.model import Identity

if TYPE_CHECKING:
    from authz.identity.keys import KeySet

REMEMBERED = 10_000
"""Verified tokens kept per provider."""

MOST_CANDIDATES = 8
"""Keys tried for a token that names none."""

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
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


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """Which claims make an identity: names, or paths with dots."""

    subject: str = "sub"
    roles: str = "roles"
    groups: str = "groups"
    scopes: str = "scope"


class JwtRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a token must be. `leeway` is seconds, for clocks that differ."""

    issuer: str
    audiences: tuple[str, ...] = ()
    algorithms: tuple[str, ...]
    required: tuple[str, ...] = ()
    leeway: float = 30.0
    claims: Claims = Claims()


class _Verified(msgspec.Struct, frozen=True):
    """A token that was verified with these keys, and when it is good, leeway included."""

    identity: Identity
    keys: KeySet
    begins: float
    ends: float


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
        digest = hashlib.blake2b(token.encode(), digest_size=32).digest()
        known = self._verified.get(digest)
        if known is None or known.keys is not keys:
            known = self._read(token, keys, now)
            self._remember(digest, known)
        if not known.begins <= now < known.ends:
            raise InvalidCredential("the token is not valid yet" if now < known.begins else "the token has expired")
        return known.identity

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        self._verified[digest] = verified
        if len(self._verified) > REMEMBERED:
            self._verified.popitem(last=False)

    def _read(self, token: str, keys: KeySet, now: float) -> _Verified:
        header, payload, signature = _split(token)
        fields = _object(header, "header")
        self._verify_signature(fields, f"{header}.{payload}".encode(), _decode(signature), keys, now)
        claims = _object(payload, "payload")
        self._refuse_foreign(claims)
        begins = max(_time(claims, "nbf"), _time(claims, "iat"))
        expires = _time(claims, "exp", required=True)
        leeway = self._rules.leeway
        return _Verified(self._identity(claims, expires), keys, begins - leeway, expires + leeway)

    def _verify_signature(
        self, fields: dict[str, Any], message: bytes, signature: bytes, keys: KeySet, now: float
    ) -> None:
        refused = _REFUSED_HEADERS & fields.keys()
        if refused:
            raise InvalidCredential(f"the token's header has {min(refused)!r}")
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

    def _refuse_foreign(self, claims: dict[str, Any]) -> None:
        rules = self._rules
        if claims.get("iss") != rules.issuer:
            raise InvalidCredential("the token is of another issuer")
        if rules.audiences and not set(rules.audiences) & _texts(claims.get("aud")):
            raise InvalidCredential("the token is for another audience")
        missing = [name for name in rules.required if name not in claims]
        if missing:
            raise InvalidCredential(f"the token lacks the claim {missing[0]!r}")

    def _identity(self, claims: dict[str, Any], expires: float) -> Identity:
        names = self._rules.claims
        subject = claim(claims, names.subject)
        if not isinstance(subject, str) or not subject:
            raise InvalidCredential(f"the token's claim {names.subject!r} names nobody")
        return Identity(
            authenticated=True,
            provider=self._provider,
            subject=subject,
            issuer=self._rules.issuer,
            roles=words(claim(claims, names.roles)),
            groups=words(claim(claims, names.groups)),
            scopes=words(claim(claims, names.scopes)),
            claims=claims,
            expires=expires,
        )


def claim(claims: dict[str, Any], path: str) -> object:
    """Return the claim of this very name, or at the end of this path of names joined by dots; `None` without one."""
    if path in claims:
        return claims[path]
    value: object = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def words(value: object) -> tuple[str, ...]:
    """Return a claim that is a list of texts, or one text of words (RFC 8693, section 4.2), as a tuple."""
    if isinstance(value, str):
        return tuple(value.split())
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()


def issuer_of(token: str) -> object:
    """Return what a token claims as its issuer: to choose who verifies it, and for nothing else."""
    return _object(_split(token)[1], "payload").get("iss")


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


def _texts(value: object) -> set[str]:
    values = value if isinstance(value, list) else [value]
    return {text for text in values if isinstance(text, str)}


def _time(claims: dict[str, Any], name: str, *, required: bool = False) -> float:
    """Return a NumericDate (RFC 7519, section 2) as seconds; a missing one is 0."""
    value = claims.get(name)
    if value is None and not required and name not in claims:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise InvalidCredential(f"the token's {name} is missing or no time")
    return float(value)
