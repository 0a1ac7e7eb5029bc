"""What tests of policies are made of: who calls, and what they ask, each under a name.

A fixture says what a client sends, also what no sane client would; what the service makes of it is what is tested. So
nothing here is checked for being good, only for being something that can be sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from authz.errors import Fault
from authz.model import BodyState
from authz.policy.codes import Code
from authz.policy.documents import grammar
from authz.policy.documents.values import (
    AnyNumber,
    AnyText,
    Checked,
    Choice,
    Fits,
    Many,
    Maybe,
    Name,
    Part,
    Plain,
    PlainMap,
    whole,
)
from authz.policy.source import Mapping, Text, quoted

NOBODY = "nobody"
"""The caller who presents nothing; no fixture can have this name."""

URL = r"^https?://[^/?#\s]+[^\x00-\x1f\x7f]*$"
_URL = re.compile(URL)
_SENT = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_BODIES = ("json", "form", "body")


def url(text: Text) -> Text:
    """Return a URL as a client types it: nothing in its path is made canonical."""
    if not _URL.fullmatch(text):
        grammar.refuse(text, Code.LOCATION, f"{quoted(text)} is no URL to ask", 'begin with "https://" and a host')
    return text


def sent_header(text: Text) -> Text:
    """Return the name of a header that a client can send."""
    if not _SENT.fullmatch(text):
        grammar.refuse(text, Code.HEADER, f"{quoted(text)} is not a header name in lower case")
    return text


SentHeader = Annotated[Text, Fits((Text,), sent_header)]
Url = Annotated[Text, Fits((Text,), url, type="string", pattern=URL)]
Values = AnyNumber[AnyText]
"""One text or several; an empty list says that there is none."""


class Presented(StrEnum):
    """What is wrong with what a caller presents, or with whoever is to judge it."""

    INVALID_CREDENTIALS = "invalid_credentials"
    IDENTITY_UNAVAILABLE = "identity_unavailable"


class Caller(Checked):
    """Who calls: what a provider finds in what they present."""

    provider: Name = Field(description="The identity provider that knows them.", examples=["staff"])
    subject: Maybe[AnyText] = Field(default=None, description="Who they are.", examples=["alice"])
    claims: PlainMap = Field(
        default_factory=dict,
        description="What their token says beside what follows from the other keys; `exp` in the past is an old one.",
        examples=[{"tenant": "acme", "scope": "orders:read orders:write"}],
    )
    roles: Many[AnyText] = Field(default=(), description="Roles, where the provider reads them.", examples=[["admin"]])
    groups: Many[AnyText] = Field(default=(), description="Groups, likewise.", examples=[["emea"]])
    scopes: Many[AnyText] = Field(default=(), description="Scopes, likewise.", examples=[["orders:read"]])
    key_id: Maybe[AnyText] = Field(
        default=None, description="The key or user they are, by its id in the provider's file.", examples=["acme-2026"]
    )
    error: Maybe[Choice[Presented]] = Field(
        default=None,
        description="`invalid_credentials`: what they present is bad; `identity_unavailable`: nobody can tell.",
        examples=["invalid_credentials"],
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault for saying who holds a key whose entry says it, and for nobody at all."""
        if "key_id" in node:
            for key in node.written():
                if key in {"subject", "claims", "roles", "groups", "scopes"}:
                    yield key.fault(Code.TOGETHER, f'the entry of the key says "{key}", and this says it again')
        elif not {"subject", "claims", "error"} & node.keys():
            yield node.fault(Code.MISSING_KEY, "the caller has no subject", hint="say subject, claims or key_id")


class Geo(Part):
    """What GeoIP files say of where the caller is; what is left out is not known."""

    country: Maybe[AnyText] = Field(default=None, description="`client.geo.country`.", examples=["DE"])
    asn: Maybe[Annotated[int, whole(0, 2**32 - 1)]] = Field(
        default=None, description="`client.geo.asn`.", examples=[64500]
    )
    organization: Maybe[AnyText] = Field(
        default=None, description="`client.geo.organization`.", examples=["Example Telecom"]
    )


class Requested(Checked):
    """One request, or how it differs from one with a name."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["url"]}, {"required": ["like"]}]})

    like: Maybe[Name] = Field(
        default=None, description="A named request; what is said here takes its place.", examples=["read"]
    )
    method: Maybe[AnyText] = Field(default=None, description="The method. Left out: GET.", examples=["POST"])
    url: Maybe[Url] = Field(
        default=None, description="The URL, sent as it is written.", examples=["https://api.example.com/v1/orders/7"]
    )
    headers: dict[SentHeader, Values] = Field(
        default_factory=dict,
        description="Headers, each with one value or several; with `like`, an empty list takes one away.",
        examples=[{"x-tenant": "acme"}],
    )
    json_body: Plain = Field(
        default=None, alias="json", description="The body, sent as application/json.", examples=[{"sku": "a"}]
    )
    form: Maybe[dict[AnyText, Values]] = Field(
        default=None, description="The body, sent as a form.", examples=[{"sku": "a"}]
    )
    body: Maybe[AnyText] = Field(default=None, description="The body, as it is.", examples=["<order/>"])
    body_state: Maybe[Choice[BodyState]] = Field(
        default=None, description="What arrives of the body. Left out: all of it.", examples=["truncated"]
    )
    ip: Maybe[AnyText] = Field(
        default=None, description="The address of the direct peer. Left out: 127.0.0.1.", examples=["203.0.113.9"]
    )
    geo: Maybe[Geo] = Field(
        default=None,
        description="Where the caller is, `{}` where that is not known. Left out: no GeoIP file is there.",
        examples=[{"country": "DE", "asn": 64500}],
    )
    principal: Maybe[AnyText] = Field(
        default=None,
        description="The name in the peer's certificate, as Envoy says it.",
        examples=["spiffe://cluster.local/ns/shop/sa/web"],
    )
    protocol: Maybe[AnyText] = Field(default=None, description="Left out: HTTP/1.1.", examples=["HTTP/2"])
    context_extensions: dict[AnyText, AnyText] = Field(
        default_factory=dict, description="What Envoy's route says.", examples=[{"tier": "gold"}]
    )
    metadata: dict[AnyText, PlainMap] = Field(
        default_factory=dict,
        description="What Envoy's filters say, by the filter.",
        examples=[{"envoy.filters.http.geoip": {"country": "AQ"}}],
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault for a request without a URL, and for two bodies."""
        if not {"url", "like"} & node.keys():
            yield node.fault(Code.MISSING_KEY, "the request has no url", hint="say url, or like: a named request")
        given = [key for key in node.written() if key in _BODIES]
        for key in given[1:]:
            yield key.fault(Code.TOGETHER, f"a request has one body, and this one already says {given[0]}")
