"""One request as the bytes Envoy would send about it (`envoy.service.auth.v3.CheckRequest`), and the call with them.

Typed, or from a test. What is said is sent, also where no client would. What Envoy adds of its own (lengths, whether a
body is whole) follows from it, unless a header says otherwise.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest
from authz.model import BodyState, Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from authz._pb.envoy.service.auth.v3.attribute_context_pb2 import AttributeContext
    from authz.policy.documents.fixtures import Geo, Requested
    from authz.policy.source import Text

PARTIAL = "x-envoy-auth-partial-body"

_URL = re.compile(r"(?:(https?)://([^/?#]*))?(.*)", re.DOTALL)
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed. `headers` are lower case; `time` is seconds since the epoch; `ip` the direct peer.

    `body_state` is what becomes of the body on its way; without one it arrives whole. `location` is where GeoIP files
    say the caller is, which no message carries.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    body_state: BodyState | None = None
    ip: str = "127.0.0.1"
    location: Location | None = None
    principal: str = ""
    protocol: str = "HTTP/1.1"
    extensions: Mapping[str, str] = {}
    metadata: Mapping[str, Mapping[str, Any]] = {}
    time: float = 0.0

    @property
    def parts(self) -> tuple[str, str, str]:
        """Return scheme, authority and target of the URL; a path alone is asked of `http://localhost`.

        A URL without a path is asked for `/`, as every client does (RFC 9112, section 3.2.1).
        """
        match = _URL.fullmatch(self.url)
        assert match is not None  # noqa: S101 - the pattern takes any text
        target = f"/{match[3]}" if match[1] and match[3][:1] in ("", "?") else match[3] or "/"
        return match[1] or "http", match[2] or "localhost", target


class Call:
    """The call that a transport would bring: it may last, nobody gives it up, and it keeps its answer."""

    deadline: float | None = None
    cancelled = False
    metadata: Sequence[tuple[str, str | bytes]] = ()
    response = b""

    def answer(self, response: bytes) -> None:
        """Keep the answer."""
        self.response = response


def message(asked: Asked) -> bytes:
    """Return the request as Envoy would describe it, headers raw."""
    request = CheckRequest()
    attributes = request.attributes
    attributes.source.address.socket_address.address = asked.ip
    attributes.source.address.socket_address.port_value = 50000
    attributes.source.principal = asked.principal
    attributes.context_extensions.update(asked.extensions)
    for name, values in asked.metadata.items():
        attributes.metadata_context.filter_metadata[name].update(values)
    attributes.request.time.FromNanoseconds(round(asked.time * 1e9))
    http = attributes.request.http
    http.scheme, http.host, http.path = asked.parts
    http.method, http.protocol = asked.method, asked.protocol
    pseudo = ((":method", http.method), (":scheme", http.scheme), (":authority", http.host), (":path", http.path))
    typed = {name for name, _ in asked.headers}
    about = ((name, value) for name, value in _carry(asked, http).items() if name not in typed)
    for name, value in (*pseudo, *asked.headers, *about):
        http.header_map.headers.add(key=name, raw_value=value.encode())
    return request.SerializeToString()


def _carry(asked: Asked, http: AttributeContext.HttpRequest) -> dict[str, str]:
    """Put in what arrives of the body, and return what client and Envoy would say of it (RFC 9110, 8.6)."""
    body, state = asked.body, asked.body_state
    if state is None:
        state = BodyState.ABSENT if body is None else BodyState.COMPLETE
    content = body or b""
    match state:
        case BodyState.COMPLETE:
            http.raw_body, http.size = content, len(content)
            return {"content-length": str(len(content)), PARTIAL: "false"}
        case BodyState.TRUNCATED:
            http.raw_body, http.size = content[: len(content) // 2], len(content)
            return {"content-length": str(len(content)), PARTIAL: "true"}
        case BodyState.INVALID:
            http.raw_body = content or b"?"
            return {"content-length": str(len(http.raw_body) - 1), PARTIAL: "false"}
        case BodyState.UNAVAILABLE:
            return {"content-length": str(len(content) or 1)}
        case _:
            return {} if asked.method in _BODILESS else {"content-length": "0"}


def asked_of(request: Requested, named: Mapping[Text, Requested]) -> Asked:
    """Return what a fixture asks, put together with what it is like."""
    chain = [request]
    while (like := chain[-1].like) is not None:
        chain.append(named[like])
    said: dict[str, Any] = {}
    headers: dict[str, tuple[str, ...]] = {}
    for one in reversed(chain):
        if "body" in (own := dict(_said(one))):
            said.pop("body", None)
            headers.pop("content-type", None)
        said |= own
        headers |= {str(name): tuple(map(str, values)) for name, values in _headers(one)}
    lines = tuple((name, value) for name, values in headers.items() for value in values)
    return Asked(**{"method": "GET", **said}, headers=lines)


def _said(one: Requested) -> Iterator[tuple[str, Any]]:
    """Yield what a fixture says itself, by the names of `Asked`."""
    for name in ("method", "url", "ip", "principal", "protocol"):
        if (text := getattr(one, name)) is not None:
            yield name, str(text)
    if one.body_state is not None:
        yield "body_state", one.body_state
    if (content := _content(one)) is not None:
        yield "body", content[1]
    if one.geo is not None:
        yield "location", _location(one.geo)
    if one.context_extensions:
        yield "extensions", {str(name): str(value) for name, value in one.context_extensions.items()}
    if one.metadata:
        yield "metadata", {str(name): value for name, value in one.metadata.items()}


def _location(geo: Geo) -> Location:
    country, organization = (None if text is None else str(text) for text in (geo.country, geo.organization))
    return Location(country=country, asn=geo.asn, organization=organization)


def _headers(one: Requested) -> Iterator[tuple[str, tuple[str, ...]]]:
    content = _content(one)
    if content is not None and content[0]:
        yield "content-type", (content[0],)
    yield from one.headers.items()


def _content(one: Requested) -> tuple[str, bytes] | None:
    """Return the media type and the bytes of the body a fixture gives, `None` where it gives none."""
    if "json_body" in one.model_fields_set:
        return "application/json", json.dumps(one.json_body, separators=(",", ":"), ensure_ascii=False).encode()
    if one.form is not None:
        pairs = [(str(name), str(value)) for name, values in one.form.items() for value in values]
        return "application/x-www-form-urlencoded", urlencode(pairs).encode()
    return None if one.body is None else ("", one.body.encode())
