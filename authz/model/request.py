"""What is asked: one request, read one way, and the peers of its connection."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec


class BodyState(StrEnum):
    """What is known of the request's body (POLICY.md, section 4)."""

    ABSENT = "absent"
    COMPLETE = "complete"
    TRUNCATED = "truncated"
    UNAVAILABLE = "unavailable"
    INVALID = "invalid"


class Peer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One end of the connection. `ip` is canonical text, IPv4-mapped addresses unmapped; `""` and 0 when unknown."""

    ip: str = ""
    port: int = 0
    principal: str = ""
    service: str = ""
    labels: Mapping[str, str] = {}
    certificate: str = ""


class Ambiguity(StrEnum):
    """What makes a path readable in two ways, where a document may say which one is meant."""

    ENCODED_SLASH = "encoded_slash"
    PATH_PARAMETERS = "path_parameters"


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """Where an address is, as far as that is known: a country (ISO 3166-1), an autonomous system and who runs it."""

    country: str | None = None
    asn: int | None = None
    organization: str | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request, read one way.

    `path` is canonical (POLICY.md, section 5) and has no query; `query` is the raw text behind the first `?`.
    `ambiguities` names what the path holds that only a document can permit; a request with any is refused
    unless every selected document permits it. `headers` are lower case without pseudo headers, values of a
    repeated header joined by `,` (both of Envoy's encodings end here). `invalid_headers` are names whose bytes are
    no UTF-8: they are not in `headers`, and reading any of them is an error. `envoy` is the parsed
    `envoy.service.auth.v3.AttributeContext`, for `attributes` and the rarely read. `time` is seconds since the epoch.
    """

    id: str
    method: str
    scheme: str
    host: str
    port: int
    path: str
    query: str
    protocol: str
    time: float
    headers: Mapping[str, str]
    invalid_headers: frozenset[str] = frozenset()
    ambiguities: frozenset[Ambiguity] = frozenset()
    body: bytes = b""
    body_state: BodyState = BodyState.ABSENT
    source: Peer
    destination: Peer
    extensions: Mapping[str, str] = {}
    envoy: Any = None
