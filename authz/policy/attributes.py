"""What each name of the vocabulary is bound to: a table from names to functions of the facts.

A name is bound only where a document that governs the request reads it. A function that cannot tell raises
`UnboundError`: the name stays without a value, and reading it is an error. Where only some keys of a map are in
doubt (a repeated query parameter, a header whose bytes are no UTF-8), `DOUBTFUL` names them: an expression that may
read such a key is an error, `in` and optional indexing included, so that nobody turns doubt into absence.

`LATE` are the names whose value costs something; see `terms`. Nothing here reads a clock: time is the request's.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from authz._pb.authz.v1.vocabulary_pb2 import Geo
from authz._pb.envoy.service.auth.v3.attribute_context_pb2 import AttributeContext
from authz.errors import Refusal
from authz.model import BodyState
from authz.paths import parse_query
from authz.policy.calls import grpc, mcp
from authz.policy.facts import UnboundError
from authz.policy.graphql import graphql
from authz.policy.messages import grpc_message
from authz.policy.routing.routes import segments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz.policy.facts import Facts

_DEFAULT_PORTS = {"http": 80, "https": 443}
_BALANCED = re.compile(r'(?:[^"]|"(?:[^"\\]|\\.)*+")*+', re.DOTALL)
_LIST_ELEMENT = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*+")+', re.DOTALL)
_ONE_VALUE = frozenset(
    (
        "authorization", "content-disposition", "content-length", "content-range", "content-type", "cookie", "date",
        "expires", "from", "host", "if-modified-since", "if-range", "if-unmodified-since", "last-modified", "location",
        "max-forwards", "proxy-authorization", "range", "referer", "retry-after", "server", "set-cookie", "user-agent",
    )
)  # fmt: skip
"""Headers whose value is one value, commas and all (RFC 9110; RFC 6265 for cookies)."""


def _timestamp(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _url(facts: Facts) -> str:
    """Return the absolute URL of the request, the port only where it is not the scheme's own."""
    request = facts.request
    port = "" if request.port in {0, _DEFAULT_PORTS.get(request.scheme)} else f":{request.port}"
    query = f"?{request.query}" if request.query else ""
    return f"{request.scheme}://{request.host}{port}{request.path}{query}"


def _query(facts: Facts) -> dict[str, list[str]]:
    try:
        return parse_query(facts.request.query)
    except Refusal as refusal:
        raise UnboundError(refusal.detail) from None


def _query_one(facts: Facts) -> dict[str, str]:
    return {name: values[0] for name, values in _query(facts).items() if len(values) == 1}


def _repeated(facts: Facts) -> frozenset[str]:
    return frozenset(name for name, values in _query(facts).items() if len(values) > 1)


def _headers_all(facts: Facts) -> dict[str, list[str]]:
    return {name: _elements(name, value) for name, value in facts.request.headers.items()}


def _elements(name: str, value: str) -> list[str]:
    """Return the elements of a header that is a list (RFC 9110, 5.6.1), commas in quotes left alone."""
    if name in _ONE_VALUE:
        return [value]
    quoted = '"' in value and _BALANCED.fullmatch(value)
    elements = _LIST_ELEMENT.findall(value) if quoted else value.split(",")
    return [element for element in map(str.strip, elements) if element]


def _invalid_headers(facts: Facts) -> frozenset[str]:
    return facts.request.invalid_headers


def _is_upgrade(facts: Facts) -> bool:
    """Tell whether the connection is to become something else; Envoy shows an upgrade over HTTP/2 as one of HTTP/1."""
    request = facts.request
    if "upgrade" in request.invalid_headers:
        raise UnboundError("the Upgrade header is no text")
    return request.method == "CONNECT" or "upgrade" in request.headers


def _body(facts: Facts) -> bytes:
    state = facts.request.body_state
    if state in {BodyState.ABSENT, BodyState.COMPLETE}:
        return facts.request.body
    raise UnboundError(f"the body is {state.value}")


def _json(facts: Facts) -> object:
    try:
        return facts.body.json()
    except ValueError as error:
        raise UnboundError(str(error)) from None


def _geo(facts: Facts) -> Geo:
    """Return what is known of where the caller is; nothing that is not known is set."""
    location = facts.locate(facts.client_ip)
    if location is None:
        raise UnboundError("no GeoIP file is configured")
    return Geo(country=location.country, asn=location.asn, organization=location.organization)


def _expires(facts: Facts) -> datetime:
    expires = facts.identity.expires
    if expires is None:
        raise UnboundError("the credential does not expire")
    return _timestamp(expires)


def _metadata(field: str) -> Callable[[Facts], dict[str, object]]:
    """Return the reader of one of Envoy's metadata; a namespace that was not sent has no key, and is not empty."""

    def read(facts: Facts) -> dict[str, object]:
        if facts.request.envoy is None:
            raise UnboundError("the request did not come from Envoy")
        return dict(getattr(facts.request.envoy, field).filter_metadata)

    return read


def _envoy(facts: Facts) -> object:
    """Return what Envoy sent; a header or a body that it sent as bytes is where it would be as text, too."""
    envoy = facts.request.envoy
    if envoy is None:
        raise UnboundError("the request did not come from Envoy")
    sent = envoy.request.http
    if not sent.HasField("header_map") and not sent.raw_body:
        return envoy
    shown = AttributeContext()
    shown.CopyFrom(envoy)
    http = shown.request.http
    for header in sent.header_map.headers:
        name, text = header.key.lower(), _shown(header.raw_value) or header.value
        http.headers[name] = f"{http.headers[name]},{text}" if name in http.headers else text
    http.body = http.body or _shown(http.raw_body)
    return shown


def _shown(value: bytes) -> str:
    """Return bytes as Envoy writes them where it makes texts of them."""
    return value.decode(errors="replace").replace("\ufffd", "!")


ATTRIBUTES: Mapping[str, Callable[[Facts], object]] = {
    "request.method": lambda facts: facts.request.method,
    "request.scheme": lambda facts: facts.request.scheme,
    "request.host": lambda facts: facts.request.host,
    "request.port": lambda facts: facts.request.port,
    "request.path": lambda facts: facts.request.path,
    "request.segments": lambda facts: segments(facts.request.path),
    "request.url": _url,
    "request.protocol": lambda facts: facts.request.protocol,
    "request.id": lambda facts: facts.request.id,
    "request.time": lambda facts: _timestamp(facts.request.time),
    "request.is_upgrade": _is_upgrade,
    "request.query": _query,
    "request.query_one": _query_one,
    "request.headers": lambda facts: facts.request.headers,
    "request.headers_all": _headers_all,
    "request.body": _body,
    "request.json": _json,
    "request.body_state": lambda facts: facts.request.body_state.value,
    "request.mcp": mcp,
    "request.grpc": grpc,
    "request.graphql": graphql,
    "request.grpc_message": grpc_message,
    "source.ip": lambda facts: facts.request.source.ip,
    "source.port": lambda facts: facts.request.source.port,
    "source.principal": lambda facts: facts.request.source.principal,
    "source.service": lambda facts: facts.request.source.service,
    "source.labels": lambda facts: facts.request.source.labels,
    "source.certificate": lambda facts: facts.request.source.certificate,
    "client.ip": lambda facts: facts.client_ip,
    "client.geo": _geo,
    "destination.ip": lambda facts: facts.request.destination.ip,
    "destination.port": lambda facts: facts.request.destination.port,
    "destination.principal": lambda facts: facts.request.destination.principal,
    "destination.service": lambda facts: facts.request.destination.service,
    "destination.labels": lambda facts: facts.request.destination.labels,
    "route.extensions": lambda facts: facts.request.extensions,
    "route.metadata": _metadata("route_metadata_context"),
    "metadata": _metadata("metadata_context"),
    "attributes": _envoy,
    "identity.authenticated": lambda facts: facts.identity.authenticated,
    "identity.provider": lambda facts: facts.identity.provider,
    "identity.subject": lambda facts: facts.identity.subject,
    "identity.issuer": lambda facts: facts.identity.issuer,
    "identity.roles": lambda facts: facts.identity.roles,
    "identity.groups": lambda facts: facts.identity.groups,
    "identity.scopes": lambda facts: facts.identity.scopes,
    "identity.claims": lambda facts: facts.identity.claims,
    "identity.key_id": lambda facts: facts.identity.key_id,
    "identity.expires": _expires,
}
"""Every name of the vocabulary that is read from the facts alone; `request.params` needs the template that matched."""

_NARROW = frozenset(
    {
        "request.headers", "request.query", "request.query_one", "identity.claims", "route.extensions",
        "source.labels", "destination.labels",
    }
)  # fmt: skip
"""Maps of which only the keys that are read are bound: an engine copies all that it is given."""


@lru_cache(maxsize=1024)
def narrowed(name: str, keys: frozenset[str] | None) -> Callable[[Facts], object]:
    """Return the function for a name of which only these keys are read, `None` for all of it; one for all plans."""
    read = cast("Callable[[Facts], Mapping[str, object]]", ATTRIBUTES[name])
    if keys is None or name not in _NARROW:
        return read

    def some(facts: Facts) -> dict[str, object]:
        whole = read(facts)
        return {key: whole[key] for key in keys if key in whole}

    return some


LATE = frozenset(
    {"request.body", "request.json", "request.mcp", "request.graphql", "request.grpc_message", "attributes"}
)
"""Names that are bound when the first term that reads them is evaluated."""

DOUBTFUL: Mapping[str, Callable[[Facts], frozenset[str]]] = {
    "request.headers": _invalid_headers,
    "request.headers_all": _invalid_headers,
    "request.query_one": _repeated,
}
"""For maps of which single keys can be in doubt: which ones are."""
