"""Requests as Envoy sends them, and what `wire` makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz import wire
from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from authz.model import Request

NOW = 1_795_435_200.0


def check_request(
    method: str = "GET",
    path: str = "/v1/orders/7",
    *,
    host: str = "api.example.com",
    scheme: str = "https",
    protocol: str = "HTTP/1.1",
    headers: Mapping[str, str] | None = None,
    raw: Iterable[tuple[str, bytes]] | None = None,
    **http: object,
) -> CheckRequest:
    """Return a CheckRequest; `headers` go into the map, `raw` into the list of `encode_raw_headers`."""
    message = CheckRequest()
    request = message.attributes.request.http
    request.method, request.path, request.host = method, path, host
    request.scheme, request.protocol = scheme, protocol
    for name, value in (headers or {}).items():
        request.headers[name] = value
    for name, content in raw or ():
        request.header_map.headers.add(key=name, raw_value=content)
    for name, attribute in http.items():
        setattr(request, name, attribute)
    return message


def read(message: CheckRequest) -> Request:
    """Return what `wire.read` makes of a message."""
    return wire.read(message.SerializeToString(), now=NOW)


def both_encodings(pairs: Iterable[tuple[str, str]], **request: object) -> tuple[CheckRequest, CheckRequest]:
    """Return the same request with its headers in the map, as Envoy joins them, and in the list."""
    pairs = list(pairs)
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return (
        check_request(headers=joined, **request),
        check_request(raw=[(name, value.encode()) for name, value in pairs], **request),
    )
