"""One request from the command line, as the bytes Envoy would send about it (`envoy.service.auth.v3.CheckRequest`)."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest

_URL = re.compile(r"(?:(https?)://([^/?#]*))?(.*)", re.DOTALL)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed. `headers` are lower case; `time` is seconds since the epoch; `ip` the direct peer."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    ip: str = "127.0.0.1"
    time: float


def header(text: str) -> tuple[str, str]:
    """Read `name: value` as curl does; raises `ValueError`."""
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise ValueError(f'"{text}" is no header: write "name: value"')
    return name.strip().lower(), value.strip()


def content(text: str) -> bytes:
    """Read a body as curl does: the text itself, or the file named behind `@`; raises `OSError`."""
    return Path(text[1:]).read_bytes() if text.startswith("@") else text.encode()


def message(asked: Asked) -> bytes:
    """Return the request as Envoy would describe it, headers raw, the body whole."""
    request = CheckRequest()
    attributes = request.attributes
    attributes.source.address.socket_address.address = asked.ip
    attributes.source.address.socket_address.port_value = 50000
    attributes.request.time.FromNanoseconds(round(asked.time * 1e9))
    http = attributes.request.http
    match = _URL.fullmatch(asked.url)
    assert match is not None  # noqa: S101 - the pattern takes any text
    http.method, http.scheme, http.host = asked.method, match[1] or "http", match[2] or "localhost"
    http.path, http.protocol = match[3] or "/", "HTTP/1.1"
    pseudo = ((":method", http.method), (":scheme", http.scheme), (":authority", http.host), (":path", http.path))
    for name, value in (*pseudo, *asked.headers, *_about_body(asked)):
        http.header_map.headers.add(key=name, raw_value=value.encode())
    if asked.body is not None:
        http.raw_body, http.size = asked.body, len(asked.body)
    return request.SerializeToString()


def _about_body(asked: Asked) -> tuple[tuple[str, str], ...]:
    """Say of a body what its client and Envoy would say (RFC 9110, 8.6); what was typed comes first."""
    told = {}
    if asked.body is not None:
        told = {"content-length": str(len(asked.body)), "x-envoy-auth-partial-body": "false"}
    elif asked.method not in {"GET", "HEAD", "OPTIONS", "TRACE"}:
        told = {"content-length": "0"}
    typed = {name for name, _ in asked.headers}
    return tuple((name, value) for name, value in told.items() if name not in typed)
