"""The header that tells those behind us who is calling: ours on every allowed request, or on none.

It is written where an answer becomes bytes, so that no record, log or page ever holds a token. Whatever a client or a
rule says under that name does not count: a caller nobody identified reaches the service without the header.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from authz.identity.minting import Mint, MintRules
from authz.identity.signing import SigningKeys
from authz.model import NO_MUTATIONS, Effect, HeaderMutation, Mutations
from authz.wire import allow_part

if TYPE_CHECKING:
    from authz.config.settings import SigningSettings
    from authz.model import Outcome, Request


class Write(Protocol):
    """Writes answers."""

    def __call__(self, outcome: Outcome, /, *, further: bytes = b"") -> bytes:
        """Return a serialized answer, with a further part where it is an allow."""


def signing(settings: SigningSettings) -> SigningKeys | None:
    """Return the keys to sign with, `None` where nothing is signed; raises `Unavailable`."""
    if not settings.keys:
        return None
    keys = SigningKeys(settings.keys)
    keys.load()
    return keys


class Telling:
    """Writes answers that say who is calling; `write` writes all the rest of them."""

    def __init__(self, settings: SigningSettings, keys: SigningKeys, write: Write) -> None:
        rules = MintRules(issuer=settings.issuer, audience=settings.audience, lifetime=settings.lifetime)
        self._mint = Mint(rules, keys)
        self._header = settings.header
        self._write = write

    def write(self, outcome: Outcome) -> bytes:
        """Return the serialized answer; raises where an identity can't be signed, and then nobody is let in."""
        identity, decision, token = outcome.identity, outcome.decision, ""
        if decision.effect is not Effect.ALLOW:
            return self._write(outcome)
        if identity.authenticated:
            token = self._mint.token(identity, decision.audiences, outcome.started)
        if not self._contested(outcome.request, decision.mutations):
            return self._write(outcome, further=_part(self._header, token))
        mutations = self._only_ours(token, decision.mutations)
        return self._write(replace(outcome, decision=replace(decision, mutations=mutations)))

    def _contested(self, request: Request | None, mutations: Mutations) -> bool:
        """Say whether a rule writes or removes the header, or the request has it in another spelling."""
        if mutations is not NO_MUTATIONS:
            written = (header.name for header in mutations.request_headers)
            if any(map(self._is_ours, (*written, *mutations.request_headers_remove))):
                return True
        present = () if request is None else (*request.headers, *request.invalid_headers)
        return any("_" in name and self._is_ours(name) for name in present)

    def _only_ours(self, token: str, mutations: Mutations) -> Mutations:
        ours = _header(self._header, token)
        written = (header for header in mutations.request_headers if not self._is_ours(header.name))
        removed = (name for name in mutations.request_headers_remove if not self._is_ours(name))
        return replace(
            mutations,
            request_headers=(*written, *ours.request_headers),
            request_headers_remove=(*removed, *ours.request_headers_remove),
        )

    def _is_ours(self, name: str) -> bool:
        """Say whether some server reads this name as that of our header."""
        return name.replace("_", "-").lower() == self._header


def _header(name: str, token: str) -> Mutations:
    if not token:
        return Mutations(request_headers_remove=(name,))
    return Mutations(request_headers=(HeaderMutation(name=name, value=token),))


@lru_cache(maxsize=4096)
def _part(name: str, token: str) -> bytes:
    """Return the header as a part of an answer: made once per token, as the token itself."""
    return allow_part(_header(name, token))
