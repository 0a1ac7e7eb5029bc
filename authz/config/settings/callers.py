"""Callers: who and where they are, how they prove it, how Envoy reaches this service for them, and who is told.

What a proof must say is a provider's, in the policies; here is only what holds for the whole process.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from authz.config.settings.section import Section
from authz.config.values import Duration, Network


class TlsSettings(Section):
    """TLS on the TCP addresses of `listen`; Unix sockets carry none."""

    certificate: Path | None = Field(None, description="Certificate chain, PEM; with it TCP speaks only TLS.")
    key: Path | None = Field(None, description="Private key of the certificate, PEM.")
    client_ca: Path | None = Field(None, description="Authorities, PEM, one of which must have signed the caller's.")

    @model_validator(mode="after")
    def _whole(self) -> TlsSettings:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("tls.certificate and tls.key go together")
        if self.client_ca is not None and self.certificate is None:
            raise ValueError("tls.client_ca needs tls.certificate and tls.key")
        return self


class ClientSettings(Section):
    """Who `client.ip` is: one of the two, or neither, and then it is the direct peer."""

    trusted_hops: int = Field(0, ge=0, le=32, description="Proxies before Envoy that each append to x-forwarded-for.")
    trusted_networks: tuple[Network, ...] = Field(
        (), description="Networks whose addresses in x-forwarded-for are proxies, walked from the right."
    )

    @model_validator(mode="after")
    def _one_way(self) -> ClientSettings:
        if self.trusted_hops and self.trusted_networks:
            raise ValueError("client.trusted_hops and client.trusted_networks exclude each other")
        return self


class GeoipSettings(Section):
    """Files that say where client.ip is, for client.geo; the extra geoip. They may be exchanged at any time."""

    country: Path | None = Field(None, description="A MaxMind DB file of countries or cities, for client.geo.country.")
    asn: Path | None = Field(
        None, description="A MaxMind DB file of autonomous systems, for client.geo.asn and client.geo.organization."
    )


class IdentitySettings(Section):
    """How callers' proofs are checked."""

    wait: Duration = Field(
        3.0,
        ge=0,
        le=60,
        description="How long policies with a new key set wait for its first fetch before they come into force.",
    )
    require_keys: bool = Field(
        True, description="Whether a process is ready only when every key set was fetched once since it started."
    )
    secrets: tuple[Path, ...] = Field(
        (), description="Folders that alone hold secrets of documents; none: any file that is not this service's own."
    )


class SigningSettings(Section):
    """Who is calling, said to the services behind Envoy so that they can verify it. Without keys nothing is said."""

    keys: tuple[Path, ...] = Field(
        (), description="Private keys, PEM, or folders of them: the first signs, all are published on the admin port."
    )
    header: str = Field(
        "x-authz-identity",
        pattern=r"^x-[a-z0-9]+(-[a-z0-9]+)*$",
        description="The header of the token; what clients and rules say under this name does not count.",
    )
    issuer: str = Field("", description="Who makes the tokens, their iss: a URL or a name that is nobody else's.")
    audience: str = Field("", description="Who the tokens are for, their aud, where a policy does not say.")
    lifetime: Duration = Field(
        60.0, ge=10, le=3600, description="How long a token is good; one serves a caller for half of it."
    )

    @model_validator(mode="after")
    def _whole(self) -> SigningSettings:
        for name in ("issuer", "audience"):
            if bool(self.keys) != bool(getattr(self, name)):
                raise ValueError(f"signing.keys and signing.{name} go together")
        return self
