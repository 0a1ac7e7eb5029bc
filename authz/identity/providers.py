"""Asking the providers of a request: who presented what, and is it good.

Providers that read a credential come first, because a credential is a claim the caller makes: one that is bad is an
answer (401), and it is not for a certificate to mend. Where several providers find the same credential, the one
whose issuer the token names verifies it. Only where nobody presented anything may a certificate speak.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from authz.errors import Unavailable
from authz.identity.credentials import InvalidCredential, Place, find
from authz.identity.jwt import issuer_of
from authz.model import Identity, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from authz.identity.certificates import PeerCertificates
    from authz.model import Request


class Proof(Protocol):
    """Turns a credential into an identity."""

    def verify(self, credential: str, now: float) -> Identity:
        """Return who it proves; raises `InvalidCredential`, or `Unavailable` where that can't be told now."""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """One identity provider: it reads a credential (`places` and `proof`), or the peer's certificate.

    `issuer` is set where the credential names who made it. `scheme` is what a 401 invites with (RFC 9110, section
    11.6.1).
    """

    name: str
    places: tuple[Place, ...] = ()
    proof: Proof | None = None
    issuer: str | None = None
    certificates: PeerCertificates | None = None
    scheme: str = ""


class Providers:
    """The providers of one set of policies, asked by the names a request's policies give."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._providers = providers
        self._panels: dict[tuple[str, ...], _Panel] = {}

    def identify(self, names: tuple[str, ...], request: Request) -> Identity:
        """Return who is calling; an identity with `error` set where that was claimed and not proved."""
        panel = self._panels.get(names)
        if panel is None:
            panel = self._panels[names] = _Panel([self._providers[name] for name in names])
        return panel.identify(request)


class _Panel:
    """The providers that one combination of policies names, and what they answer when there is nobody to name."""

    def __init__(self, providers: list[Provider]) -> None:
        self._credentials = [(provider, provider.places) for provider in providers if provider.proof is not None]
        self._certificates = [provider.certificates for provider in providers if provider.certificates is not None]
        self._nobody = Identity(challenge=challenge(providers))
        self._refused = Identity(error=Reason.INVALID_CREDENTIALS, challenge=challenge(providers, "invalid_token"))

    def identify(self, request: Request) -> Identity:
        try:
            return self._by_credential(request) or self._by_certificate(request.source.principal) or self._nobody
        except InvalidCredential:
            return self._refused
        except Unavailable:
            return _UNAVAILABLE

    def _by_credential(self, request: Request) -> Identity | None:
        found = [
            (provider, credential)
            for provider, places in self._credentials
            if (credential := find(request, places)) is not None
        ]
        if not found:
            return None
        if len({credential for _, credential in found}) > 1:
            raise InvalidCredential("providers found different credentials")
        credential = found[0][1]
        return _responsible([provider for provider, _ in found], credential).verify(credential, request.time)

    def _by_certificate(self, principal: str) -> Identity | None:
        return next((known for one in self._certificates if (known := one.identify(principal)) is not None), None)


_UNAVAILABLE = Identity(error=Reason.IDENTITY_UNAVAILABLE)


def challenge(providers: Iterable[Provider], error: str = "") -> str:
    """Write `WWW-Authenticate`: each scheme once, with RFC 6750's error where a credential was bad."""
    schemes = dict.fromkeys(provider.scheme for provider in providers if provider.scheme)
    return ", ".join(f'{scheme} error="{error}"' if error and scheme == "Bearer" else scheme for scheme in schemes)


def _responsible(providers: list[Provider], credential: str) -> Proof:
    """Choose who verifies: the only one who found it, or the one whose issuer it names."""
    if len(providers) > 1:
        issuer = issuer_of(credential)
        providers = [provider for provider in providers if provider.issuer is not None and provider.issuer == issuer]
    if not providers or providers[0].proof is None:
        raise InvalidCredential("no provider answers for the token's issuer")
    return providers[0].proof
