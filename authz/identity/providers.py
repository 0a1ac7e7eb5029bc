"""Asking the providers of a request: who presented what, and is it good.

Providers that read a credential come first, because a credential is a claim the caller makes: one that is bad is an
answer (401), and it is not for a certificate to mend. Where several providers find the same credential, the one
whose issuer the token names verifies it. Only where nobody presented anything may a witness speak: something that
Envoy has verified itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec.structs import replace

from authz.errors import Unavailable
from authz.identity.credentials import InvalidCredential, Place, finder
from authz.identity.jwt import issuer_of
from authz.model import Identity, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from authz.identity.claims import ClaimRules
    from authz.identity.holders import Holder
    from authz.identity.jwks import RemoteKeys
    from authz.model import Request

    Done = Callable[[Identity], None]
    Finding = Identity | InvalidCredential | Unavailable


class Proof(Protocol):
    """Turns a credential into an identity, at once."""

    def verify(self, credential: str, now: float, /) -> Identity:
        """Return who it proves; raises `InvalidCredential`, or `Unavailable` where that can't be told now."""


class Inquiry(Protocol):
    """Turns a credential into an identity, by asking somebody else or by working for a while."""

    def ask(self, credential: str, now: float, deadline: float, answer: Callable[[Finding], None], /) -> None:
        """Call `answer` once, from any thread, by `deadline` (monotonic seconds), with what `Proof` gives."""


class Witness(Protocol):
    """Finds who is calling in what Envoy has verified."""

    def identify(self, request: Request, /) -> Identity | None:
        """Return who is calling, `None` where Envoy says nothing that counts; raises `InvalidCredential`."""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """One identity provider: it reads a credential (`places`, and `proof` or `inquiry`), or believes a `witness`.

    `issuer` is set where the credential names who made it, `keys` where that is somebody whose keys are fetched, `ids`
    where keys are known by ids of ours. `challenge` is what a 401 invites with (RFC 9110, section
    11.6.1): a scheme and its parameters; providers with the same one are invited to once. For those who
    have no credential (tests of policies) there are `rules` where claims say who it is, and `holders` by id where
    entries of ours do.
    """

    name: str
    places: tuple[Place, ...] = ()
    proof: Proof | None = None
    inquiry: Inquiry | None = None
    witness: Witness | None = None
    issuer: str | None = None
    keys: RemoteKeys | None = None
    ids: tuple[str, ...] = ()
    challenge: str = ""
    rules: ClaimRules | None = None
    holders: Mapping[str, Holder] = {}


class Providers:
    """The providers of one set of policies, asked by the names that a request's policies give; `by_name` are they."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self.by_name = providers
        self._panels: dict[tuple[str, ...], _Panel] = {}

    def identify(self, names: tuple[str, ...], request: Request, deadline: float, done: Done, /) -> None:
        """Call `done` with who is calling; with an identity whose `error` is set where that was not proved."""
        panel = self._panels.get(names)
        if panel is None:
            panel = self._panels[names] = _Panel([self.by_name[name] for name in names])
        panel.identify(request, deadline, done)


class _Panel:
    """The providers that one combination of policies names, and what they answer when there is nobody to name."""

    def __init__(self, providers: list[Provider]) -> None:
        self._readers = tuple((provider, finder(provider.places)) for provider in providers if provider.places)
        self._witnesses = tuple((provider, provider.witness) for provider in providers if provider.witness is not None)
        self._nobody = Identity(challenge=challenge(providers))
        self._challenge = challenge(providers, "invalid_token")
        self._several = len(providers) > 1

    def identify(self, request: Request, deadline: float, done: Done) -> None:
        name = ""
        try:
            found = self._presented(request)
            if found is None:
                name, identity = self._witnessed(request)
            else:
                provider, credential = found
                name = provider.name
                if provider.inquiry is not None:
                    provider.inquiry.ask(credential, request.time, deadline, self._answer(name, done))
                    return
                identity = provider.proof.verify(credential, request.time)  # type: ignore[union-attr] # one of the two
        except (InvalidCredential, Unavailable) as error:
            identity = self._refused(name, error)
        done(self._invited(identity))

    def _presented(self, request: Request) -> tuple[Provider, str] | None:
        """Return the one credential that was presented, and who is to say whose it is."""
        first: tuple[Provider, str] | None = None
        others: list[Provider] = []
        for provider, find in self._readers:
            credential = find(request)
            if credential is None:
                continue
            if first is None:
                first = provider, credential
            elif credential == first[1]:
                others.append(provider)
            else:
                raise InvalidCredential("providers found different credentials")
        if first is None or not others:
            return first
        return _responsible([first[0], *others], first[1]), first[1]

    def _witnessed(self, request: Request) -> tuple[str, Identity]:
        for provider, witness in self._witnesses:
            identity = witness.identify(request)
            if identity is not None:
                return provider.name, identity
        return "", self._nobody

    def _answer(self, name: str, done: Done) -> Callable[[Finding], None]:
        """Return what takes an inquiry's finding."""
        return lambda finding: done(
            self._invited(finding) if isinstance(finding, Identity) else self._refused(name, finding)
        )

    def _invited(self, identity: Identity) -> Identity:
        """Return an identity with what a 401 invites to where a policy takes only the proof of another provider."""
        return replace(identity, challenge=self._nobody.challenge) if self._several and not identity.error else identity

    def _refused(self, name: str, error: InvalidCredential | Unavailable) -> Identity:
        if isinstance(error, Unavailable):
            return Identity(provider=name, error=Reason.IDENTITY_UNAVAILABLE, detail=str(error))
        return Identity(
            provider=name, error=Reason.INVALID_CREDENTIALS, challenge=self._challenge, detail=str(error)
        )  # fmt: skip


def challenge(providers: Iterable[Provider], error: str = "") -> str:
    """Write `WWW-Authenticate`: each challenge once, with RFC 6750's error where a bearer token was bad."""
    challenges = dict.fromkeys(provider.challenge for provider in providers if provider.challenge)
    return ", ".join(f'{one}, error="{error}"' if error and _is_bearer(one) else one for one in challenges)


def _is_bearer(challenge: str) -> bool:
    return challenge.partition(" ")[0] == "Bearer"


def _responsible(providers: list[Provider], credential: str) -> Provider:
    """Choose among several who found the same credential: the one whose issuer it names."""
    issuer = issuer_of(credential)
    chosen = next((one for one in providers if one.issuer is not None and one.issuer == issuer), None)
    if chosen is None:
        raise InvalidCredential("no provider answers for the token's issuer")
    return chosen
