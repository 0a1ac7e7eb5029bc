"""What Envoy's own filter has verified is believed, and only where Envoy says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from authz._pb.envoy.service.auth.v3.attribute_context_pb2 import AttributeContext
from authz.identity.claims import ClaimRules
from authz.identity.credentials import InvalidCredential
from authz.identity.forwarded import NAMESPACE, ForwardedTokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz.model import Request

NOW = 1_790_000_000.0
GOOD: dict[str, Any] = {
    "iss": "https://login.example.com/", "aud": ["orders"], "sub": "alice", "exp": NOW + 60, "scope": "a b",
    "level": 3, "ratio": 0.5, "nested": {"ids": [1, 2]},
}  # fmt: skip
RULES = ClaimRules(issuer="https://login.example.com/", audiences=("orders",))
TOKENS = ForwardedTokens("edge", RULES, "jwt_payload")


def context(claims: dict[str, Any], namespace: str = NAMESPACE, key: str = "jwt_payload") -> AttributeContext:
    """Return Envoy's attributes with a payload in its filter's metadata."""
    attributes = AttributeContext()
    attributes.metadata_context.filter_metadata[namespace].update({key: claims})
    return attributes


def test_a_payload_names_the_caller(request_with: Callable[..., Request]) -> None:
    """The claims are what the token said: whole numbers are whole again."""
    identity = TOKENS.identify(request_with(envoy=context(GOOD)))
    assert identity is not None
    assert (identity.provider, identity.subject, identity.scopes) == ("edge", "alice", ("a", "b"))
    assert identity.claims == GOOD
    assert type(identity.claims["level"]) is int


def test_without_a_payload_of_ours_there_is_nobody(request_with: Callable[..., Request]) -> None:
    """Another filter, another key, another issuer, no metadata at all: no error, for nothing was presented to us."""
    assert TOKENS.identify(request_with()) is None
    assert TOKENS.identify(request_with(envoy=AttributeContext())) is None
    assert TOKENS.identify(request_with(envoy=context(GOOD, namespace="envoy.lua"))) is None
    assert TOKENS.identify(request_with(envoy=context(GOOD, key="other"))) is None
    assert TOKENS.identify(request_with(envoy=context(GOOD | {"iss": "https://other.example.com/"}))) is None


@pytest.mark.parametrize("claims", [
    {"exp": NOW - 31}, {"exp": "soon"}, {"aud": "others"}, {"sub": ""}, {"sub": 7}, {"nbf": NOW + 31},
])  # fmt: skip
def test_a_payload_that_does_not_mean_us_is_refused(
    claims: dict[str, Any], request_with: Callable[..., Request]
) -> None:
    """Times and audience are looked at although the filter did: it may serve several."""
    with pytest.raises(InvalidCredential):
        TOKENS.identify(request_with(envoy=context(GOOD | claims)))
