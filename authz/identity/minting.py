"""Saying who is calling to those behind us, so that they can verify it: short-lived tokens of our own (RFC 7519).

A token says what we verified and nothing that a caller only claims. It is for named audiences, so that one service
can't show it to another, and ends soon, with the caller's own credential at the latest. One token serves a caller for
half its life: signing is rare, and what a request pays is a look into a dictionary.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from authz.identity.signing import SigningKey
    from authz.model import Identity

REMEMBERED = 10_000
"""Tokens kept."""

SHORTEST = 5
"""Seconds that a token is good for, at least: also where the caller's own ends now, or ended within its leeway."""


_SCOPE = re.compile(r"[!#-\[\]-~]+")
"""A scope (RFC 6749, section 3.3). What is none is left out: a space would make two of it, one of them new."""


class Signing(Protocol):
    """Where the key that signs comes from."""

    def first(self) -> SigningKey:
        """Return the key that signs now."""


class MintRules(msgspec.Struct, frozen=True, kw_only=True):
    """Who makes the tokens, for whom where policies do not say, and for how many seconds."""

    issuer: str
    audience: str
    lifetime: float = 60.0


class _Minted(msgspec.Struct, frozen=True):
    """A token, which key signed it, until when it is given out again, and until when it is good."""

    token: str
    kid: str
    until: float
    ends: int


class Mint:
    """Makes tokens; `token` may be called from any thread."""

    def __init__(self, rules: MintRules, keys: Signing) -> None:
        self._rules = rules
        self._keys = keys
        self._minted: OrderedDict[tuple[object, ...], _Minted] = OrderedDict()

    def token(self, identity: Identity, audiences: tuple[str, ...], now: float) -> str:
        """Return a token that says who is calling to these audiences; none named: to the usual one."""
        who = (
            identity.provider, identity.subject, identity.issuer, identity.key_id, identity.roles, identity.groups,
            identity.scopes, audiences,
        )  # fmt: skip
        minted = self._minted.get(who)
        latest = self._latest(identity, now)
        key = self._keys.first()
        if minted is None or now >= minted.until or minted.ends > latest or minted.kid != key.kid:
            minted = self._mint(identity, audiences, now, key)
            self._minted.pop(who, None)  # the newest come last; another thread may have dropped it
            self._minted[who] = minted
            if len(self._minted) > REMEMBERED:
                self._minted.popitem(last=False)
        return minted.token

    def _latest(self, identity: Identity, now: float) -> float:
        """Return when a token of this identity must have ended."""
        return now + self._rules.lifetime if identity.expires is None else max(identity.expires, now + SHORTEST)

    def _mint(self, identity: Identity, audiences: tuple[str, ...], now: float, key: SigningKey) -> _Minted:
        begins = int(now)
        ends = int(min(now + self._rules.lifetime, self._latest(identity, now)))
        claims = _claims(self._rules.issuer, identity, audiences or (self._rules.audience,))
        payload = msgspec.json.encode({**claims, "iat": begins, "exp": ends})
        return _Minted(key.sign(payload), key.kid, now + (ends - now) / 2, ends)


def _claims(issuer: str, identity: Identity, audiences: tuple[str, ...]) -> dict[str, object]:
    """Return what a token says but for its times; roles, groups and scope as RFC 9068 names them."""
    optional = {
        "provider_issuer": identity.issuer,
        "key_id": identity.key_id,
        "roles": identity.roles,
        "groups": identity.groups,
        "scope": " ".join(filter(_SCOPE.fullmatch, identity.scopes)),
    }
    return {
        "iss": issuer,
        "aud": audiences[0] if len(audiences) == 1 else audiences,
        "sub": identity.subject,
        "provider": identity.provider,
        **{name: value for name, value in optional.items() if value},
    }
