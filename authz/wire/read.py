"""A serialized CheckRequest becomes one canonical `Request`, or a refusal.

Method and target come from Envoy's attributes alone: no header overrides them (`x-http-method-override`), none
forwards another (`x-forwarded-uri`, `x-original-url`, `x-envoy-original-path`). The attributes `query` and `fragment`
are always empty in Envoy and not looked at. What is rarely read stays in the parsed message, `Request.envoy`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from authz._pb.envoy.service.auth.v3.attribute_context_pb2 import AttributeContext
from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest
from authz.errors import Refusal
from authz.model import Ambiguity, Peer, Reason, Request
from authz.paths import canonical, canonical_host, canonical_ip
from authz.wire.body import read_body
from authz.wire.headers import is_token, read_headers

if TYPE_CHECKING:
    from collections.abc import Mapping

_PORTS = {"http": 80, "https": 443, "": 0}
"""The port a scheme means where the host names none; Envoy knows no other schemes."""

_NONE: frozenset[Ambiguity] = frozenset()
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_LONGEST_REMEMBERED_PEER = 1024


def read(message: bytes, *, now: float, body_limit: int | None = None) -> Request:
    """Return the request a serialized `envoy.service.auth.v3.CheckRequest` asks about.

    `now` (seconds since the epoch) is the request's time where Envoy states none; `body_limit` the bytes at which the
    filter cuts bodies, where it does (`read_body`). Raises `Refusal`: `malformed` for bytes that are no CheckRequest
    about an HTTP request, `ambiguous_request` for one with more than one reading.
    """
    attributes = _attributes(message)
    request = attributes.request
    http = request.http
    method, scheme = http.method, http.scheme.lower()
    if (method not in _METHODS and not is_token(method)) or scheme not in _PORTS:
        raise Refusal(Reason.AMBIGUOUS_REQUEST, "the method is no token, or the scheme is not HTTP's")
    target = canonical(http.path)
    host = canonical_host(http.host)
    headers, invalid_headers = read_headers(http)
    body, body_state = read_body(http, headers, body_limit)
    time = request.time
    seconds = time.seconds
    return Request(
        id=http.id,
        method=method,
        scheme=scheme,
        host=host.name,
        port=host.port or _PORTS[scheme],
        path=target.path,
        query=target.query,
        protocol=http.protocol,
        time=seconds + time.nanos / 1e9 if seconds > 0 else now,
        headers=headers,
        invalid_headers=invalid_headers,
        ambiguities=frozenset(map(Ambiguity, target.ambiguities)) if target.ambiguities else _NONE,
        body=body,
        body_state=body_state,
        source=_peer(attributes.source),
        destination=_peer(attributes.destination),
        extensions=_mapping(attributes.context_extensions),
        envoy=attributes,
    )


def _attributes(message: bytes) -> AttributeContext:
    try:
        attributes = CheckRequest.FromString(message).attributes
    except DecodeError:
        raise Refusal(Reason.MALFORMED, "the bytes are no CheckRequest") from None
    if not attributes.request.HasField("http"):
        raise Refusal(Reason.MALFORMED, "the CheckRequest is about no HTTP request")
    return attributes


def _mapping(entries: Mapping[str, str]) -> Mapping[str, str]:
    return {name: entries[name] for name in entries} if entries else {}


def _peer(message: AttributeContext.Peer) -> Peer:
    """Return a peer, by its bytes if they came before: connections ask again and again."""
    serialized = message.SerializeToString()
    return _known_peer(serialized) if len(serialized) <= _LONGEST_REMEMBERED_PEER else _read_peer(message)


@lru_cache(maxsize=4096)
def _known_peer(serialized: bytes) -> Peer:
    return _read_peer(AttributeContext.Peer.FromString(serialized))


def _read_peer(message: AttributeContext.Peer) -> Peer:
    """Return a peer; a principal with control characters is none (a NUL ends a name for some readers)."""
    address = message.address.socket_address
    principal = message.principal
    return Peer(
        ip=canonical_ip(address.address),
        port=address.port_value,
        principal=principal if principal.isprintable() else "",
        service=message.service,
        labels=_mapping(message.labels),
        certificate=message.certificate,
    )
