"""What policies need to be told of a request: the headers, metadata, bodies and certificates that Envoy has to send.

Envoy sends what its filter is told to, and what it was not told to send looks like something the caller left out. So
what documents read is gathered here, for those who write or check Envoy's configuration. Over-stating is harmless and
under-stating is not: a name that is read with a computed key needs all of it (`None`). Nothing here decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from authz.policy.documents import IdentityProvider

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from authz.cel import Attribute
    from authz.policy.compiled import Document
    from authz.policy.documents import ProviderSpec
    from authz.policy.documents.asked import Introspection, KubernetesToken
    from authz.policy.documents.providers import Basic
    from authz.policy.routing.entries import Entry, Route

Names = frozenset[str] | None
"""Names that are needed; `None` where it may be any."""

Path = tuple[str, ...]

VERIFIED = "envoy.filters.http.jwt_authn"
"""The namespace of what Envoy's own filter has verified (`identity.forwarded`)."""

_HTTP = ("attributes", "request", "http")
_HEADERS = (("request.headers",), ("request.headers_all",), (*_HTTP, "headers"), (*_HTTP, "header_map"))
_DERIVED = {"request.is_upgrade": "upgrade", "request.grpc": "content-type", "request.grpc_message": "content-type"}
"""Names that are read from a header."""

_METADATA = (("metadata",), ("attributes", "metadata_context", "filter_metadata"))
_ROUTE_METADATA = (("route.metadata",), ("attributes", "route_metadata_context", "filter_metadata"))
_CERTIFICATE = (("source.certificate",), ("attributes", "source", "certificate"))
_SESSION = (("attributes", "tls_session"),)
_BODY = (
    ("request.body",), ("request.json",), ("request.mcp",), ("request.graphql",), ("request.grpc_message",),
    ("request.body_state",), (*_HTTP, "body"), (*_HTTP, "raw_body"),
)  # fmt: skip

_OF_BODIES = frozenset({"content-encoding", "content-length", "content-type", "transfer-encoding"})
"""Headers without which a body looks absent, or like a body of something else."""


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What Envoy has to send. `bodies` are the routes of the documents that read bodies.

    `longest_body` is the longest, in bytes, that a validation accepts, `inquiry` the seconds that asking somebody else
    who is calling may take; both 0 where there is none.
    """

    headers: Names = frozenset()
    metadata: Names = frozenset()
    route_metadata: Names = frozenset()
    certificate: bool = False
    tls_session: bool = False
    bodies: tuple[Route, ...] = ()
    longest_body: int = 0
    inquiry: float = 0.0


def needs(governed: Sequence[Entry[Document]], providers: Iterable[IdentityProvider]) -> Needs:
    """Return what these documents need together."""
    specs = [provider.spec for provider in providers]
    paths = {path for entry in governed for path in _paths(entry.document)}
    looked_at = {name for spec in specs for name in _provers(spec)}
    looked_at.update(name for entry in governed for name in _looked_at(entry.document))
    validations = [one for entry in governed for one in entry.document.validations]
    return Needs(
        headers=_joined(_keys(paths, _HEADERS), looked_at),
        metadata=_joined(_keys(paths, _METADATA), {VERIFIED} if any(one.envoy_jwt for one in specs) else set()),
        route_metadata=_keys(paths, _ROUTE_METADATA),
        certificate=_read(paths, _CERTIFICATE),
        tls_session=_read(paths, _SESSION),
        bodies=tuple(route for entry in governed if _reads_body(entry.document) for route in entry.routes),
        longest_body=max((one.max_bytes or 0 for one in validations), default=0),
        inquiry=max((one.timeout for spec in specs if (one := _slow(spec))), default=0.0),
    )


def _paths(document: Document) -> Iterator[Path]:
    """Yield what a document reads, each as the name and the constant keys that are followed from it."""
    for attribute in document.reads:
        yield _path(attribute)
        if attribute.variable in _DERIVED:
            yield "request.headers", _DERIVED[attribute.variable]


def _path(attribute: Attribute) -> Path:
    return (attribute.variable, *map(str, attribute.keys))


def _reads_body(document: Document) -> bool:
    return any(one.reads_body for one in document.validations) or _read(set(map(_path, document.reads)), _BODY)


def _looked_at(document: Document) -> Iterator[str]:
    """Yield the headers that no expression names: of bodies, validated, asked for a form, rid of a cookie."""
    if _reads_body(document):
        yield from _OF_BODIES
    for one in document.validations:
        yield from one.reads_headers
    for rule in document.rules:
        if len(rule.body) > 1:
            yield "accept"
        if rule.changes.cookies_remove:
            yield "cookie"


def _read(paths: Iterable[Path], wanted: Iterable[Path]) -> bool:
    """Return whether any of the wanted is read, or something that contains it."""
    wanted = tuple(wanted)
    return any(path[: len(one)] == one[: len(path)] for path in paths for one in wanted)


def _keys(paths: Iterable[Path], maps: Iterable[Path]) -> Names:
    """Return the keys that are read of maps, `None` where a key is computed or the map is read as a whole."""
    found: set[str] = set()
    maps = tuple(maps)
    for path in paths:
        for one in maps:
            if path[: len(one)] == one and len(path) > len(one):
                found.add(path[len(one)])
            elif path == one[: len(path)]:
                return None
    return frozenset(found)


def _joined(one: Names, other: set[str]) -> Names:
    return None if one is None else one | other


def _slow(spec: ProviderSpec) -> Introspection | KubernetesToken | Basic | None:
    """Return what takes time, within a bound, to find out who is calling."""
    return spec.introspection or spec.kubernetes or spec.basic


def _provers(spec: ProviderSpec) -> Iterator[str]:
    """Yield the headers that a provider looks at."""
    if spec.peer_certificate is not None and spec.peer_certificate.forwarded_from:
        yield "x-forwarded-client-cert"
    places = [place for kind in (spec.jwt, spec.introspection, spec.kubernetes, spec.api_key) if kind
              for place in kind.places]  # fmt: skip
    if not (places or spec.api_key or spec.envoy_jwt or spec.peer_certificate):
        yield "authorization"
    for place in places:
        if place.query is None:
            yield "cookie" if place.cookie is not None else str(place.header)
