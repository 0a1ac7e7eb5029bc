"""Who is calling, where several providers could say."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from authz.errors import Unavailable
from authz.identity.api_keys import ApiKeys, Entry
from authz.identity.certificates import PeerCertificates
from authz.identity.credentials import Place
from authz.identity.jwt import JwtRules, Verifier
from authz.identity.providers import Provider, Providers
from authz.model import Identity, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Issuer

    from authz.identity.keys import KeySet
    from authz.model import Request

ISSUER = "https://login.example.com/"
BEARER = (Place(header="authorization", scheme="Bearer"),)
KEY = "k-7f3a9c"
SPIFFE = "spiffe://cluster.local/ns/shop/sa/cart"


class StaticKeys:
    """Keys that are there, or are not."""

    def __init__(self, keys: KeySet | None) -> None:
        self.keys = keys

    def current(self, now: float) -> KeySet:  # noqa: ARG002 - these never age
        if self.keys is None:
            raise Unavailable("no keys yet")
        return self.keys

    def unknown(self, kid: str, now: float) -> None:
        """Nobody fetches."""


def bearer(name: str, issuer: str, keys: KeySet | None) -> Provider:
    """Return a provider of bearer tokens."""
    verifier = Verifier(name, JwtRules(issuer=issuer, algorithms=("RS256",)), StaticKeys(keys))
    return Provider(name=name, places=BEARER, proof=verifier, issuer=issuer, challenge='Bearer realm="api"')


@pytest.fixture
def providers(issuer: Issuer) -> Providers:
    """Return staff and guests by token, partners by key, the mesh by certificate, and one whose keys are not there."""
    partner = ApiKeys("partner", [Entry(id="1", subject="partner", sha256=hashlib.sha256(KEY.encode()).hexdigest())])
    return Providers({
        "staff": bearer("staff", ISSUER, issuer.keys()),
        "guests": bearer("guests", "https://guests.example.com/", issuer.keys()),
        "away": bearer("away", ISSUER, None),
        "partner": Provider(name="partner", places=(Place(header="x-api-key"),), proof=partner),
        "mesh": Provider(name="mesh", witness=PeerCertificates("mesh", ["cluster.local"])),
    })  # fmt: skip


def ask(providers: Providers, names: tuple[str, ...], request: Request) -> Identity:
    """Return who the providers say is calling; these all say so at once."""
    said: list[Identity] = []
    providers.identify(names, request, 0.0, said.append)
    (identity,) = said
    return identity


ALL = ("guests", "staff", "partner", "mesh")


def test_nobody_is_invited_to_say_who_they_are(providers: Providers, request_with: Callable[..., Request]) -> None:
    """Without a credential there is no error, and the challenge names each scheme once."""
    identity = ask(providers, ALL, request_with())
    assert (identity.authenticated, identity.error, identity.challenge) == (False, None, 'Bearer realm="api"')


def test_who_is_known_by_another_proof_is_told_which_are_asked_for(
    providers: Providers, request_with: Callable[..., Request]
) -> None:
    """RFC 9110, 15.5.2: a policy that takes tokens alone refuses a certificate's holder with the challenge for them."""
    identity = ask(providers, ("staff", "mesh"), request_with(principal=SPIFFE))
    assert (identity.provider, identity.challenge) == ("mesh", 'Bearer realm="api"')


def test_the_issuer_chooses_among_those_who_look_in_the_same_place(
    providers: Providers, issuer: Issuer, request_with: Callable[..., Request]
) -> None:
    """Each token goes to the provider of its issuer, whatever the order of names."""
    staff = request_with({"authorization": f"Bearer {issuer.token()}"})
    guest = request_with({"authorization": f"Bearer {issuer.token(iss='https://guests.example.com/')}"})
    for names in (ALL, ALL[::-1]):
        assert ask(providers, names, staff).provider == "staff"
        assert ask(providers, names, guest).provider == "guests"


@pytest.mark.parametrize("token", ["garbage", "", "a.b.c"])
def test_a_bad_credential_is_an_error_and_not_nobody(
    providers: Providers, request_with: Callable[..., Request], token: str
) -> None:
    """POLICY.md, section 3, step 3: presented and bad is 401, and a good certificate does not mend it."""
    identity = ask(providers, ALL, request_with({"authorization": f"Bearer {token}"}, principal=SPIFFE))
    assert (identity.authenticated, identity.error) == (False, Reason.INVALID_CREDENTIALS)
    assert identity.challenge == 'Bearer realm="api", error="invalid_token"'


def test_a_token_of_an_issuer_nobody_answers_for_is_bad(
    providers: Providers, issuer: Issuer, request_with: Callable[..., Request]
) -> None:
    """CVE-2021-21378: an unknown issuer is not a missing credential."""
    request = request_with({"authorization": f"Bearer {issuer.token(iss='https://evil.example/')}"})
    for names in (ALL, ("staff",)):
        assert ask(providers, names, request).error is Reason.INVALID_CREDENTIALS


def test_two_different_credentials_are_refused(
    providers: Providers, issuer: Issuer, request_with: Callable[..., Request]
) -> None:
    """A good token and a good key name two callers: neither is believed."""
    request = request_with({"authorization": f"Bearer {issuer.token()}", "x-api-key": KEY})
    assert ask(providers, ALL, request).error is Reason.INVALID_CREDENTIALS


def test_a_certificate_speaks_where_nothing_was_presented(
    providers: Providers, issuer: Issuer, request_with: Callable[..., Request]
) -> None:
    """A token beside a certificate wins; without one the certificate says who it is."""
    assert ask(providers, ALL, request_with(principal=SPIFFE)).subject == SPIFFE
    both = request_with({"authorization": f"Bearer {issuer.token()}"}, principal=SPIFFE)
    assert ask(providers, ALL, both).subject == "alice"
    assert ask(providers, ALL, request_with(principal="spiffe://evil/x")).authenticated is False


def test_keys_that_are_not_there_are_our_fault(
    providers: Providers, issuer: Issuer, request_with: Callable[..., Request]
) -> None:
    """A caller whose token can't be judged is told 503, not that the token is bad."""
    request = request_with({"authorization": f"Bearer {issuer.token()}"})
    assert ask(providers, ("away",), request).error is Reason.IDENTITY_UNAVAILABLE


def test_only_the_named_providers_are_asked(providers: Providers, request_with: Callable[..., Request]) -> None:
    """A key is nothing to policies that do not name the partner provider."""
    request = request_with({"x-api-key": KEY})
    assert ask(providers, ("partner",), request).subject == "partner"
    assert ask(providers, ("staff",), request).authenticated is False
