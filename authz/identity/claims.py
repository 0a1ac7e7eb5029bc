"""What verified claims mean: whom they name, where they come from and when they are good.

Claims get here after somebody proved them: a signature that we verified, Envoy's own filter, the issuer itself. Nothing
here looks at a proof.
"""

from __future__ import annotations

from typing import Any

import msgspec

from authz.identity.credentials import InvalidCredential
from authz.model import Identity

LATEST = 253_402_300_799
"""The last second that a date has a name for, in the year 9999; what is beyond it is no time to anybody."""


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """Which claims make an identity: names, or paths with dots."""

    subject: str = "sub"
    roles: str = "roles"
    groups: str = "groups"
    scopes: str = "scope"


class ClaimRules(msgspec.Struct, frozen=True, kw_only=True):
    """What claims must say. `leeway` is seconds, for clocks that differ."""

    issuer: str
    audiences: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    leeway: float = 30.0
    claims: Claims = Claims()


class Said(msgspec.Struct, frozen=True):
    """Whom claims name, and from when until when, leeway included: seconds since the epoch."""

    identity: Identity
    begins: float
    ends: float

    def at(self, now: float) -> Identity:
        """Return whom they name; raises `InvalidCredential` at another time."""
        if self.begins <= now < self.ends:
            return self.identity
        raise InvalidCredential("the token is not valid yet" if now < self.begins else "the token has expired")


def understand(provider: str, rules: ClaimRules, claims: dict[str, Any]) -> Said:
    """Return what claims say; raises `InvalidCredential` where they are not for us, or name nobody."""
    if claims.get("iss") != rules.issuer:
        raise InvalidCredential("the token is of another issuer")
    if rules.audiences and set(rules.audiences).isdisjoint(texts(claims.get("aud"))):
        raise InvalidCredential("the token is for another audience")
    missing = [name for name in rules.required if name not in claims]
    if missing:
        raise InvalidCredential(f"the token lacks the claim {missing[0]!r}")
    begins = max(_time(claims, "nbf"), _time(claims, "iat"))
    expires = _time(claims, "exp", required=True)
    return Said(_identity(provider, rules, claims, expires), begins - rules.leeway, expires + rules.leeway)


def _identity(provider: str, rules: ClaimRules, claims: dict[str, Any], expires: float) -> Identity:
    names = rules.claims
    subject = claim(claims, names.subject)
    if not isinstance(subject, str) or not subject:
        raise InvalidCredential(f"the token's claim {names.subject!r} names nobody")
    return Identity(
        authenticated=True,
        provider=provider,
        subject=subject,
        issuer=rules.issuer,
        roles=texts(claim(claims, names.roles)),
        groups=texts(claim(claims, names.groups)),
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
    """Return scopes as a tuple: a list of texts, or one text of words with spaces between (RFC 8693, section 4.2)."""
    return tuple(filter(None, value.split(" "))) if isinstance(value, str) else texts(value)


def texts(value: object) -> tuple[str, ...]:
    """Return roles, groups or audiences as a tuple: a list of texts, or one text.

    Names have spaces in them: who is in the group `Trainee admin` is in no group `admin`.
    """
    values = value if isinstance(value, list) else [value]
    return tuple(text for text in values if isinstance(text, str) and text)


def _time(claims: dict[str, Any], name: str, *, required: bool = False) -> float:
    """Return a NumericDate (RFC 7519, section 2) as seconds; a missing one is 0."""
    value = claims.get(name)
    if value is None and not required and name not in claims:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LATEST:
        raise InvalidCredential(f"the token's {name} is missing or no time")
    return float(value)
