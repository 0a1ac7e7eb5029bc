"""The callers of a test: what they present, and providers that believe it.

A caller presents a credential where the provider looks for one: a token that says what the fixture says, an API key, a
certificate's name, what Envoy verified. The providers are those of the policies with one part exchanged, the proof: it
knows the credentials of the test instead of keys. So everything else is real: where is looked, who answers for a
token, what two credentials mean, what claims become, when they are good.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace

from authz.errors import Unavailable
from authz.identity.certificates import PeerCertificates
from authz.identity.claims import understand
from authz.identity.credentials import InvalidCredential
from authz.identity.forwarded import NAMESPACE, ForwardedTokens
from authz.identity.jwks import RemoteKeys
from authz.identity.jwt import JwtRules
from authz.identity.providers import Providers
from authz.model import Identity
from authz.policy.documents.fixtures import Presented
from authz.policy.documents.tests import KeysFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz.identity.claims import ClaimRules
    from authz.identity.fetch import Rules
    from authz.identity.providers import Provider
    from authz.policy.documents.fixtures import Caller
    from authz.policy.source import Text
    from authz.testing.asking import Asked

LIFETIME = 3600.0
"""Seconds for which a token is good; callers get a new one for every request."""

_KEYS = (
    b'{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",'
    b'"y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}'
)
"""Some key (RFC 7517, appendix A.1), for issuers whose keys were fetched: nothing is verified with it."""


class Signer(Protocol):
    """Signs tokens with keys of its own, and verifies them as the service does."""

    def sign(self, rules: JwtRules, claims: Mapping[str, Any], /) -> str:
        """Return a token that says these claims, signed by an algorithm the rules permit."""

    def verify(self, provider: str, rules: JwtRules, token: str, now: float, /) -> Identity:
        """Return who a token proves; raises `InvalidCredential`."""


class Cast:
    """The callers of one document on one clock, before the providers of the policies under test.

    `identifier` takes the place of the policies' own. `keys` says what is wrong with the keys of issuers. Without a
    `signer` nobody signs tokens, and whose they are is remembered.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        callers: Mapping[Text, Caller],
        clock: Callable[[], float],
        signer: Signer | None = None,
    ) -> None:
        self._providers = providers
        self._callers = callers
        self._clock = clock
        self._signer = signer
        self._known: dict[tuple[str, str], Callable[[float], Identity]] = {}
        self._issuers = {name: _Issuer(provider, clock) for name, provider in providers.items() if provider.keys}
        self.keys: KeysFault | None = None
        self.identifier = Providers({name: self._standing_in(provider) for name, provider in providers.items()})

    def begin(self) -> None:
        """Have the keys of every issuer fetched now, as a case begins."""
        self._known.clear()
        for issuer in self._issuers.values():
            issuer.begin()

    def present(self, name: Text, asked: Asked) -> Asked:
        """Return a request with what a caller presents; it is made for this moment."""
        caller = self._callers[name]
        provider = self._providers[caller.provider]
        if isinstance(provider.witness, PeerCertificates):
            return replace(asked, principal=str(caller.subject or "nobody's certificate"))
        if isinstance(provider.witness, ForwardedTokens):
            payload = {provider.witness.key: self._claims(caller, provider.witness.rules)}
            return replace(asked, metadata={**asked.metadata, NAMESPACE: payload})
        credential = self._credential(name, caller, provider)
        return _placed(asked, provider, credential)

    def _credential(self, name: str, caller: Caller, provider: Provider) -> str:
        """Return a credential, and remember whose it is."""
        claims, signer = self._claims(caller, provider.rules), self._signer
        if signer is not None and isinstance(provider.rules, JwtRules) and caller.error is None:
            rules = provider.rules
            credential = signer.sign(rules, claims)
            self._known[provider.name, credential] = lambda now: signer.verify(provider.name, rules, credential, now)
            return credential
        credential = f"test-{name}" if provider.rules is None else _token(claims)
        self._known[provider.name, credential] = lambda now: _proved(caller, provider, claims, now)
        return credential

    def _claims(self, caller: Caller, rules: ClaimRules | None) -> dict[str, Any]:
        """Return what a caller claims: what is written, what the other keys mean, and what every token says."""
        if rules is None:
            return dict(caller.claims)
        now = int(self._clock())
        audience = {"aud": rules.audiences[0]} if rules.audiences else {}
        claims = {"iss": rules.issuer, **audience, "iat": now, "exp": now + int(LIFETIME), **caller.claims}
        paths = rules.claims
        if caller.subject is not None:
            put(claims, paths.subject, str(caller.subject))
        words = ((paths.roles, caller.roles), (paths.groups, caller.groups), (paths.scopes, caller.scopes))
        for path, said in words:
            if said:
                put(claims, path, list(map(str, said)))
        return claims

    def _standing_in(self, provider: Provider) -> Provider:
        if not provider.places:
            return provider
        return replace(provider, proof=_Proof(self, provider), inquiry=None)

    def prove(self, provider: Provider, credential: str, now: float) -> Identity:
        """Return who presents a credential, as the provider would tell it."""
        if self.keys is not None and provider.name in self._issuers:
            self._issuers[provider.name].check(self.keys, now)
        known = self._known.get((provider.name, credential))
        if known is None:
            raise InvalidCredential("the credential is none of the test's for this provider")
        return known(now)


class _Proof:
    """What a provider asks in place of its own proof."""

    def __init__(self, cast: Cast, provider: Provider) -> None:
        self._cast = cast
        self._provider = provider

    def verify(self, credential: str, now: float) -> Identity:
        """Return who presents it."""
        return self._cast.prove(self._provider, credential, now)


class _Issuer:
    """Keys of an issuer that can't be reached any more: by the code that keeps them in service."""

    def __init__(self, provider: Provider, clock: Callable[[], float]) -> None:
        assert provider.keys is not None  # noqa: S101 - says so to the type checker
        self._origin = replace(provider.keys.origin, uri="https://keys.test/")
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """Fetch them for the last time."""
        self._states = {fault: RemoteKeys(self._origin, clock=self._clock, get=_some_key) for fault in KeysFault}
        self._states[KeysFault.STALE].refresh()

    def check(self, fault: KeysFault, now: float) -> None:
        """Raise `Unavailable` where no keys could verify anything."""
        self._states[fault].current(now)


def _some_key(_uri: str, _rules: Rules) -> bytes:
    return _KEYS


def _proved(caller: Caller, provider: Provider, claims: dict[str, Any], now: float) -> Identity:
    """Return what a good proof of the fixture's credential gives; raises as one does."""
    if caller.error is Presented.INVALID_CREDENTIALS:
        raise InvalidCredential("the test presents a bad credential")
    if caller.error is Presented.IDENTITY_UNAVAILABLE:
        raise Unavailable("the test has nobody who could tell")
    if caller.key_id is not None:
        holder = provider.holders[caller.key_id]
        holder.check("credential", now)
        return holder.identity(provider.name)
    if provider.rules is not None:
        return understand(provider.name, provider.rules, claims).at(now)
    return Identity(
        authenticated=True,
        provider=provider.name,
        subject=str(caller.subject or ""),
        roles=tuple(map(str, caller.roles)),
        groups=tuple(map(str, caller.groups)),
        scopes=tuple(map(str, caller.scopes)),
        claims=claims,
    )


def _token(claims: dict[str, Any]) -> str:
    """Return a token in compact form that says these claims; nobody has signed it."""
    segments = (b'{"alg":"none"}', json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode(), b"test")
    return ".".join(base64.urlsafe_b64encode(segment).rstrip(b"=").decode() for segment in segments)


def put(claims: dict[str, Any], path: str, value: object) -> None:
    """Write a claim where `identity.claims.claim` would read it, unless something is there."""
    if path in claims:
        return
    *steps, last = path.split(".")
    for step in steps:
        inner = claims.get(step)
        inner = dict(inner) if isinstance(inner, dict) else {}
        claims[step] = inner
        claims = inner
    claims.setdefault(last, value)


def _placed(asked: Asked, provider: Provider, credential: str) -> Asked:
    """Return a request that carries a credential in the first place where its provider looks."""
    place = provider.places[0]
    if place.query is not None:
        joint = "&" if "?" in asked.url else "?"
        return replace(asked, url=f"{asked.url}{joint}{place.query}={credential}")
    if place.header is not None:
        line = (place.header, f"{place.scheme} {credential}" if place.scheme else credential)
    else:
        line = ("cookie", f"{place.cookie}={credential}")
    return replace(asked, headers=(*asked.headers, line))
