"""The security requirements of an operation: which credentials a request must carry, and what its caller may do.

A requirement is met by a caller whom the right provider knows, and who has the scopes that are listed. Which provider
proves which scheme is said by whoever loads the description: that a header is there proves nothing. `{}` asks for
nothing. Of several alternatives one is enough; without any, nothing is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from authz.model import STATUS, Objection, Reason

if TYPE_CHECKING:
    from authz.content.openapi.document import Node
    from authz.model import Identity

_SCHEME = frozenset(
    {"bearerFormat", "description", "flows", "in", "name", "openIdConnectUrl", "scheme", "type", "deprecated"}
)
_TYPES = ("apiKey", "http", "mutualTLS", "oauth2", "openIdConnect")
_PLACES = ("cookie", "header", "query")
_SCOPED = frozenset({"oauth2", "openIdConnect"})


class Scheme(msgspec.Struct, frozen=True, kw_only=True):
    """How a caller proves who they are. `place` and `key` are where the credential is, `word` what it begins with."""

    name: str
    kind: str
    place: str = ""
    key: str = ""
    word: str = ""
    discovery: str = ""
    bearer_format: str = ""


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """One scheme of an alternative, and the scopes (of OAuth and OpenID Connect) or roles that it asks for."""

    scheme: Scheme
    scopes: tuple[str, ...] = ()


Alternative = tuple[Demand, ...]


def schemes(root: Node) -> dict[str, Scheme]:
    """Return the security schemes of a document by name."""
    components = root.get("components")
    if components is None:
        return {}
    resolved = ((name, node.resolved()) for name, node in components.members("securitySchemes"))
    return {name: _scheme(name, node) for name, node in resolved if node is not None}


def alternatives(node: Node, known: Mapping[str, Scheme], above: tuple[Alternative, ...]) -> tuple[Alternative, ...]:
    """Return the alternatives that a document or operation asks for; its own, or those above it."""
    if node.get("security") is None:
        return above
    return tuple(_alternative(each, known) for each in node.elements("security"))


def _scheme(name: str, node: Node) -> Scheme:
    kind = node.only(_SCHEME).needed("type")
    if kind not in _TYPES:
        node.flaw(f'no type of security scheme is called "{kind}"', known=_TYPES)
    if kind == "apiKey":
        place, key = node.needed("in"), node.needed("name")
        if place not in _PLACES:
            node.flaw(f'an API key is in "cookie", "header" or "query", not in "{place}"')
        return Scheme(name=name, kind=kind, place=place, key=key.lower() if place == "header" else key)
    word = node.needed("scheme").lower() if kind == "http" else "bearer" if kind in _SCOPED else ""
    return Scheme(
        name=name, kind=kind, place="header" if word else "", key="authorization" if word else "", word=word,
        discovery=node.text("openIdConnectUrl"), bearer_format=node.text("bearerFormat"),
    )  # fmt: skip


def _alternative(node: Node, known: Mapping[str, Scheme]) -> Alternative:
    demands = []
    for name, scopes in node.items():
        if name not in known:
            scopes.flaw(f'no security scheme is called "{name}"', known=tuple(sorted(known)))
        elif not isinstance(scopes.value, list) or not all(isinstance(each, str) for each in scopes.value):
            scopes.flaw("the scopes of a requirement are a list of texts")
        else:
            demands.append(Demand(scheme=known[name], scopes=tuple(scopes.value)))
    return tuple(demands)


def refused(asked: Sequence[Alternative], identity: Identity, provers: Mapping[str, str]) -> Objection | None:
    """Return why no alternative is met, `None` where one is; `provers` are providers by the schemes they prove."""
    if not asked or () in asked:
        return None
    proved = [each for each in asked if identity.authenticated and _proves(identity.provider, each, provers)]
    if not proved:
        names = " or ".join(" and ".join(demand.scheme.name for demand in each) for each in asked)
        return _refused(Reason.UNAUTHENTICATED, f"the operation asks for {names}")
    if any(all(_granted(demand, identity) for demand in each) for each in proved):
        return None
    return _refused(Reason.NO_RULE, "the operation asks for scopes that the caller does not have")


def _proves(provider: str, alternative: Alternative, provers: Mapping[str, str]) -> bool:
    return all(provers.get(demand.scheme.name) == provider for demand in alternative)


def _granted(demand: Demand, identity: Identity) -> bool:
    held = identity.scopes if demand.scheme.kind in _SCOPED else (*identity.scopes, *identity.roles)
    return set(demand.scopes) <= set(held)


def _refused(reason: Reason, detail: str) -> Objection:
    return Objection(reason=reason, status=STATUS[reason], detail=detail)
