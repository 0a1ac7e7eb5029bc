"""Identity providers: how a caller proves who they are (POLICY.md, section 6)."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from authz.errors import Fault
from authz.policy.documents.asked import Introspection, KubernetesToken
from authz.policy.documents.document import Document
from authz.policy.documents.tokens import EnvoyJwt, Jwt, Place
from authz.policy.documents.values import (
    AnyText,
    Checked,
    Duration,
    FileName,
    Many,
    Maybe,
    Network,
    Part,
    Realm,
    Some,
    TrustDomain,
    exactly_one,
)
from authz.policy.source import Mapping, Text


class ApiKey(Part):
    """Keys that callers hold, known here by digest."""

    places: Some[Place] = Field(
        alias="from", description="Where keys are looked for.", examples=[[{"header": "x-api-key"}]]
    )
    keys: FileName = Field(description="The file of keys' digests, beside this one.", examples=["partner-keys.yaml"])
    secret_file: Maybe[AnyText] = Field(
        default=None, description="The secret of HMAC digests: a file.", examples=["/run/secrets/pepper"]
    )


class Basic(Part):
    """User names and passwords (HTTP Basic, RFC 7617), known here by hash."""

    users: FileName = Field(
        description="The file of users and hashes, beside this one: entries in YAML, or htpasswd's lines.",
        examples=["users.yaml", "users.htpasswd"],
    )
    realm: Maybe[Realm] = Field(
        default=None,
        description='What callers are told the password is for. Left out: "api".',
        examples=["back office"],
    )
    keep: Duration = Field(
        default=300.0,
        description="How long a password that was good is not checked again; a change of the file ends it at once.",
        examples=["5m"],
    )
    timeout: Duration = Field(
        default=1.0, description="How long a request waits for its password to be checked.", examples=["1s"]
    )


class PeerCertificate(Part):
    """The certificate that Envoy verified."""

    trust_domains: Some[TrustDomain] = Field(
        description="SPIFFE trust domains, or DNS domains.", examples=[["cluster.local"]]
    )
    forwarded_from: Many[Network] = Field(
        default=(),
        description="Networks of proxies that end TLS before Envoy, whose `x-forwarded-client-cert` is believed.",
        examples=[["10.0.0.0/8"]],
    )


class ProviderSpec(Checked):
    """What proves who a caller is: exactly one is not `None`."""

    jwt: Maybe[Jwt] = Field(
        default=None,
        description="A JSON Web Token.",
        examples=[
            {
                "issuer": "https://login.example.com/",
                "audiences": ["orders-api"],
                "jwks": {"uri": "https://login.example.com/keys"},
                "algorithms": ["RS256"],
            }
        ],
    )
    envoy_jwt: Maybe[EnvoyJwt] = Field(
        default=None,
        description="A JSON Web Token that Envoy has verified.",
        examples=[{"issuer": "https://login.example.com/", "payload_key": "jwt_payload"}],
    )
    introspection: Maybe[Introspection] = Field(
        default=None,
        description="An opaque token, whose issuer is asked.",
        examples=[
            {
                "issuer": "https://login.example.com/",
                "endpoint": "https://login.example.com/oauth2/introspect",
                "client_id": "authz",
                "client_secret_file": "/run/secrets/introspection",
            }
        ],
    )
    kubernetes: Maybe[KubernetesToken] = Field(
        default=None,
        description="A service account's token, which the API server is asked about.",
        examples=[{"audiences": ["orders-api"]}],
    )
    api_key: Maybe[ApiKey] = Field(
        default=None,
        description="An API key.",
        examples=[{"from": [{"header": "x-api-key"}], "keys": "partner-keys.yaml"}],
    )
    basic: Maybe[Basic] = Field(
        default=None, description="A user name and a password.", examples=[{"users": "users.yaml"}]
    )
    peer_certificate: Maybe[PeerCertificate] = Field(
        default=None, description="The peer's certificate.", examples=[{"trust_domains": ["cluster.local"]}]
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault unless there is one proof."""
        yield from exactly_one(
            node,
            ("jwt", "envoy_jwt", "introspection", "kubernetes", "api_key", "basic", "peer_certificate"),
            "an IdentityProvider",
        )

    @property
    def files(self) -> tuple[Text, ...]:
        """Return the names of the files beside the document that it takes."""
        if self.jwt is not None and self.jwt.jwks.file is not None:
            return (self.jwt.jwks.file,)
        if self.basic is not None:
            return (self.basic.users,)
        return () if self.api_key is None else (self.api_key.keys,)


class IdentityProvider(Document):
    """How a caller proves who they are."""

    spec: ProviderSpec = Field(
        description="What proves it.", examples=[{"peer_certificate": {"trust_domains": ["cluster.local"]}}]
    )
