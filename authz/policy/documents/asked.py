"""Providers that ask somebody else whose a token is, each question within bounds."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from authz.policy.documents.tokens import ClaimNames, Place
from authz.policy.documents.values import (
    AnyText,
    Choice,
    Duration,
    Flag,
    Leeway,
    Many,
    Maybe,
    Part,
    Some,
    SomeText,
    shared,
)


class OnFailure(StrEnum):
    """What is believed while nobody can be asked."""

    DENY = "deny"
    STALE = "stale"


class Asked(Part):
    """What providers that ask somebody else have in common: bounds."""

    places: Some[Place] = Field(
        default=(),
        alias="from",
        description="Where tokens are looked for. Left out: `Authorization: Bearer`.",
        examples=[[{"header": "authorization", "scheme": "Bearer"}]],
    )
    timeout: Duration = Field(default=0.1, description="How long one question may take.", examples=["100ms"])
    keep: Duration = Field(default=60.0, description="How long a good answer is believed.", examples=["1m"])
    keep_refused: Duration = Field(default=5.0, description="How long a bad answer is believed.", examples=["5s"])
    on_error: Choice[OnFailure] = Field(
        default=OnFailure.DENY,
        description="While nobody can be asked: `deny` (503), or `stale`: believe the last answer for `max_stale`.",
        examples=["deny"],
    )
    max_stale: Duration = Field(
        default=300.0, description="How long an outdated answer is believed with `stale`.", examples=["5m"]
    )
    allow_private_network: Flag = Field(
        default=False, description="Whether who is asked may be at a private address.", examples=[True]
    )
    allow_plain_http: Flag = Field(default=False, description="Whether it may be asked without TLS.", examples=[True])
    ca: Maybe[AnyText] = Field(
        default=None, description="A file of certificates to trust.", examples=["/etc/ssl/private-ca.pem"]
    )


class Introspection(Asked):
    """Opaque tokens, whose issuer is asked (RFC 7662)."""

    issuer: SomeText = Field(
        description="Who makes the tokens; an answer with another `iss` is refused.",
        examples=["https://login.example.com/"],
    )
    endpoint: AnyText = Field(
        description="The introspection endpoint.", examples=["https://login.example.com/oauth2/introspect"]
    )
    client_id: AnyText = Field(description="Who we are to it.", examples=["authz"])
    client_secret_file: AnyText = Field(
        description="The file that holds our secret.", examples=["/run/secrets/introspection"]
    )
    audiences: Some[AnyText] = Field(
        default=(), description="Of which one must be in `aud`. Left out: not looked at.", examples=[["orders-api"]]
    )
    leeway: Leeway = Field(default=30.0, description="For clocks that differ; a minute at the most.", examples=["30s"])
    required: Many[AnyText] = Field(default=(), description="Claims that must be there.", examples=[["tenant"]])
    claims: ClaimNames = Field(
        default_factory=shared(ClaimNames()), description="Which claims are read.", examples=[{"scopes": "scp"}]
    )


class KubernetesToken(Asked):
    """Tokens of service accounts, which the cluster's API server is asked about (TokenReview)."""

    server: Maybe[AnyText] = Field(
        default=None,
        description="The API server. Left out: that of the cluster we run in, by its own certificates.",
        examples=["https://kubernetes.default.svc"],
    )
    account_token_file: Maybe[AnyText] = Field(
        default=None,
        description="The file of our own token, which may be renewed at any time. Left out: where it is mounted.",
        examples=["/var/run/secrets/kubernetes.io/serviceaccount/token"],
    )
    audiences: Some[AnyText] = Field(
        description="Of which the token must be for one; a token for the API server itself is not for us.",
        examples=[["orders-api"]],
    )
