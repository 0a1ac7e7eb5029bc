"""JSON Web Tokens: where they are looked for, whose they are, and what their claims mean (POLICY.md, section 6)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from pydantic import Field

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.documents.grammar import Unfit, duration
from authz.policy.documents.values import (
    AnyText,
    Checked,
    Choice,
    Duration,
    FileName,
    Flag,
    HeaderName,
    Leeway,
    Many,
    Maybe,
    Part,
    Some,
    SomeText,
    exactly_one,
    shared,
)
from authz.policy.source import Mapping, Sequence, Text


class TokenAlgorithm(StrEnum):
    """The signature algorithms a provider may name (RFC 7518, section 3.1; RFC 8037); `none` is not among them."""

    RS256 = "RS256"
    RS384 = "RS384"
    RS512 = "RS512"
    PS256 = "PS256"
    PS384 = "PS384"
    PS512 = "PS512"
    ES256 = "ES256"
    ES384 = "ES384"
    ES512 = "ES512"
    EDDSA = "EdDSA"
    HS256 = "HS256"
    HS384 = "HS384"
    HS512 = "HS512"


class Place(Checked):
    """Where a credential is looked for: exactly one of header, cookie and query."""

    header: Maybe[HeaderName] = Field(default=None, description="A header.", examples=["authorization"])
    scheme: Maybe[SomeText] = Field(
        default=None, description="The scheme before the credential, in a header.", examples=["Bearer"]
    )
    cookie: Maybe[SomeText] = Field(default=None, description="A cookie.", examples=["session"])
    query: Maybe[SomeText] = Field(default=None, description="A query parameter.", examples=["access_token"])

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault for two places in one, and for a scheme outside a header."""
        yield from exactly_one(node, ("header", "cookie", "query"), "a place")
        if "scheme" in node and "header" not in node:
            yield node.key("scheme").fault(Code.TOGETHER, "a scheme belongs to a header")


class KeySource(Checked):
    """Where an issuer's keys are: a URI, the issuer's discovery document, or a file beside this one."""

    uri: Maybe[SomeText] = Field(default=None, description="The key set.", examples=["https://login.example.com/keys"])
    discovery: Maybe[Flag] = Field(
        default=None, description="Whether the issuer's discovery document names the key set.", examples=[True]
    )
    file: Maybe[FileName] = Field(default=None, description="A key set beside this file.", examples=["keys.json"])
    refresh: Duration = Field(default=300.0, description="How often the keys are fetched.", examples=["5m"])
    max_stale: Duration = Field(
        default=86_400.0,
        description="How long the last good keys are used while none can be fetched.",
        examples=["24h"],
    )
    timeout: Duration = Field(default=5.0, description="How long one fetch may take.", examples=["5s"])
    allow_private_network: Flag = Field(
        default=False, description="Whether the keys may be at a private address.", examples=[True]
    )
    allow_plain_http: Flag = Field(
        default=False, description="Whether the keys may be fetched without TLS.", examples=[True]
    )
    ca: Maybe[AnyText] = Field(
        default=None, description="A file of certificates to trust for the fetch.", examples=["/etc/ssl/private-ca.pem"]
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault unless the keys are in one place."""
        yield from exactly_one(node, ("uri", "discovery", "file"), "jwks")
        uri = node.get("uri")
        if isinstance(uri, str) and not uri.startswith("https://") and node.get("allow_plain_http") != "true":
            hint = "keys fetched without TLS can be anybody's; allow_plain_http: true permits it"
            yield node.key("uri").fault(Code.TOGETHER, "only https is fetched", hint=hint)
        refresh, max_stale = (_seconds(node, name) for name in ("refresh", "max_stale"))
        if max_stale < refresh:
            place = node.key("max_stale" if "max_stale" in node else "refresh")
            message = f"keys are fetched every {refresh:g} s and good for {max_stale:g} s: between, there are none"
            yield place.fault(Code.TOGETHER, message, hint="a max_stale longer than refresh")


def _seconds(node: Mapping, name: str) -> float:
    """Return one of the times of a key source as it is written; the usual one where it is not, or no time."""
    usual = float(KeySource.model_fields[name].default)
    written = node.get(name)
    try:
        return duration(written) if isinstance(written, Text) else usual
    except Unfit:
        return usual


class ClaimNames(Part):
    """Which claims make an identity: names, or paths joined by dots; `None` is the usual name."""

    subject: Maybe[SomeText] = Field(default=None, description="Who it is. Left out: `sub`.", examples=["sub"])
    roles: Maybe[SomeText] = Field(
        default=None, description="Roles. Left out: `roles`.", examples=["realm_access.roles"]
    )
    groups: Maybe[SomeText] = Field(default=None, description="Groups. Left out: `groups`.", examples=["groups"])
    scopes: Maybe[SomeText] = Field(default=None, description="Scopes. Left out: `scope`.", examples=["scp"])


class Jwt(Checked):
    """JSON Web Tokens of one issuer."""

    issuer: SomeText = Field(description="The only `iss` that is believed.", examples=["https://login.example.com/"])
    audiences: Some[AnyText] = Field(
        default=(), description="Of which one must be in `aud`. Left out: not looked at.", examples=[["orders-api"]]
    )
    jwks: KeySource = Field(
        description="The issuer's keys.", examples=[{"uri": "https://login.example.com/keys"}, {"file": "keys.json"}]
    )
    algorithms: Some[Choice[TokenAlgorithm]] = Field(
        description="How tokens may be signed: never read from the token.", examples=[["RS256", "ES256"]]
    )
    places: Some[Place] = Field(
        default=(),
        alias="from",
        description="Where tokens are looked for. Left out: `Authorization: Bearer`.",
        examples=[[{"header": "authorization", "scheme": "Bearer"}, {"cookie": "session"}]],
    )
    leeway: Leeway = Field(default=30.0, description="For clocks that differ; a minute at the most.", examples=["30s"])
    required: Many[AnyText] = Field(default=(), description="Claims that must be there.", examples=[["tenant"]])
    claims: ClaimNames = Field(
        default_factory=shared(ClaimNames()), description="Which claims are read.", examples=[{"scopes": "scp"}]
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault for a symmetric algorithm with keys that everybody can fetch."""
        jwks, algorithms = node.get("jwks"), node.get("algorithms")
        if isinstance(jwks, Mapping) and "file" not in jwks and isinstance(algorithms, Sequence):
            for one in algorithms:
                if isinstance(one, Text) and one.startswith("HS"):
                    message = f"{one} takes a secret, and a secret is in no key set that is fetched"
                    yield one.fault(Code.TOGETHER, message, hint="write jwks: {file: ...}, or another algorithm")


class EnvoyJwt(Part):
    """JSON Web Tokens that Envoy's `jwt_authn` filter has verified; nothing is verified twice."""

    issuer: SomeText = Field(description="The only `iss` that is believed.", examples=["https://login.example.com/"])
    audiences: Some[AnyText] = Field(
        default=(), description="Of which one must be in `aud`. Left out: not looked at.", examples=[["orders-api"]]
    )
    payload_key: SomeText = Field(
        description="The filter's `payload_in_metadata`: where its metadata holds the payload.",
        examples=["jwt_payload"],
    )
    leeway: Leeway = Field(default=30.0, description="For clocks that differ; a minute at the most.", examples=["30s"])
    required: Many[AnyText] = Field(default=(), description="Claims that must be there.", examples=[["tenant"]])
    claims: ClaimNames = Field(
        default_factory=shared(ClaimNames()), description="Which claims are read.", examples=[{"scopes": "scp"}]
    )
